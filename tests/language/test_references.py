"""Steps that refer to steps, and the flow of data between them."""

import pytest

READ = "- id: {}\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: a.csv}}\n"
SQL = "- id: {}\n  component: duckdb.processor\n  mode: transform\n  config: {{query: SELECT 1}}\n"
WRITE = "- id: {}\n  component: filesystem.csv_writer\n  mode: write\n  config: {{path: out/a.csv}}\n"
A, B, T, W, W2 = READ.format("a"), READ.format("b"), SQL.format("t"), WRITE.format("w"), WRITE.format("w2")
W2 = W2.replace("out/a.csv", "out/b.csv")


@pytest.mark.parametrize(
    "steps",
    [
        A + T + W,
        A + B + T + "  needs: [a, b]\n" + W,
        W + "  needs: [t]\n" + T + "  needs: [a]\n" + A + "  needs: []\n",
        A + W + B + W2,
        A + W + "  needs: [«OML301 extract»]\n",
        A + W + "  needs: [«OML302 w»]\n",
        A + W + "  needs: [a, «OML304 a»]\n",
        A + W + "  inputs: {df: «OML305 a»}\n",
        A + W + '  inputs: {df: «OML305 "${a}"»}\n',
        A + W + "  inputs: {df: «OML305 [a]»}\n",
        A + W + "  inputs: «OML104 [a]»\n",
        A + W + "  inputs: {«OML305 my-table»: '${a.df}'}\n",
        A + W + "  inputs: {df: '${«OML306 b».df}'}\n",
        A + W + "  inputs: {df: '${«OML302 w».df}'}\n",
        A + W + W2 + "  inputs: {df: '${«OML307 w».df}'}\n",
        A + B + "  «OML314 inputs»: {df: '${a.df}'}\n",
        A + B + T + "  inputs: {left_side: '${a.df}', right_side: '${b.df}'}\n",
    ],
)
def test_needs_and_inputs(check, steps):
    check.steps(steps)


@pytest.mark.parametrize("line", ["  needs:\n", "  inputs:\n", "  needs: ~\n  inputs: null\n"])
def test_a_key_without_a_value_is_as_good_as_absent(check, line):
    assert check.steps(A + T + line).graph.data == ((), (0,))


def test_an_id_may_hold_dots_in_inputs(check):
    analysis = check.steps(READ.format("a.df.x") + W + '  inputs: {df: "${a.df.x.df}"}')
    assert analysis.graph.data == ((), (0,))


@pytest.mark.parametrize(
    "steps",
    [
        "- id: «OML104 [1]»\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}\n",
        "- «OML121 component»: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}\n",
    ],
)
def test_a_reference_to_a_step_with_a_broken_id_is_not_reported(check, steps):
    check.steps(steps + W + "  needs: [extract]\n")


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (A + "  needs: [«OML303 w»]\n" + W + "  needs: [a]\n", "a -> w -> a"),
        (A + "  needs: [«OML303 t»]\n" + T + "  needs: [w]\n" + W + "  needs: [a]\n", "a -> t -> w -> a"),
        (A + "  needs: [«OML303 t»]\n" + T, "a -> t -> a"),
    ],
)
def test_a_circle_is_reported_once_with_all_its_steps(check, steps, path):
    (found,) = check.steps(steps).diagnostics
    assert path in found.message
    assert len(found.related) == len(path.split(" -> ")) - 2


def test_a_reader_in_a_circle_need_not_wait_for_the_step_above_it(check, mend):
    text = "oml_version: 0.1.0\nname: orders\nsteps:\n" + W + "  needs: [a]\n" + A
    assert mend(text, "OML303") == text.replace("mode: read\n", "mode: read\n  needs: []\n")


def test_two_circles_are_two_findings(check):
    circle = A + "  needs: [«OML303 b»]\n" + B + "  needs: [a]\n"
    check.steps(
        circle + circle.replace("id: a", "id: c").replace("id: b", "id: d").replace("b»", "d»").replace("[a]", "[c]")
    )


def test_steps_are_ordered_by_their_needs_and_else_as_in_the_file(check):
    analysis = check.steps(W + "  needs: [t]\n" + B + "  needs: []\n" + T + "  needs: [a]\n" + A + "  needs: []\n")
    assert [analysis.pipeline.steps[i].id for i in analysis.graph.order] == ["b", "a", "t", "w"]


@pytest.mark.parametrize(
    "steps",
    [
        T.replace("id: t", "id: «OML308 t»"),
        A + W + W2.replace("id: w2", "id: «OML308 w2»"),
        A + W.replace("id: w", "id: «OML308 w»") + "  needs: []\n",
        A + W + T.replace("id: t", "id: «OML308 t»") + "  needs: [w]\n",
        A + B + W + "  «OML309 needs»: [a, b]\n",
        A + B + W + "  «OML309 inputs»: {df: '${a.df}', more: '${b.df}'}\n",
        A + B + W + "  needs: [a, b]\n  inputs: {df: '${b.df}'}\n",
        READ.format("a-b") + READ.format("a_b") + T + "  needs: [a-b, «OML310 a_b»]\n",
        READ.format("x-1") + READ.format("X_1") + T + "  needs: [x-1, «OML310 X_1»]\n",
        A + B + T + "  inputs: {orders: '${a.df}', «OML310 Orders»: '${b.df}'}\n",
        "- id: x\n  component: «OML124 acme.reader»\n  mode: read\n" + W,
        "- id: x\n  component: «OML124 acme.reader»\n  mode: «OML125 get»\n" + W,
    ],
)
def test_data_arrives(check, steps):
    check.steps(steps)


@pytest.mark.parametrize(
    ("steps", "line", "mended"),
    [
        (A + W + W2, "mode: write\n  config", "mode: write\n  needs: [a]\n  config"),
        (A + T + W + W2, "mode: write\n  config", "mode: write\n  needs: [t]\n  config"),
        (A + W + "  needs: []\n", "needs: []", "needs: [a]"),
        (A + W + W2 + "  needs: [w]\n", "needs: [w]", "needs: [w, a]"),
        (A + W + W2 + "  needs:\n    - w\n", "needs:\n    - w", "needs:\n    - w\n    - a"),
    ],
)
def test_the_fix_wires_the_nearest_data_step(mend, steps, line, mended):
    text = "oml_version: 0.1.0\nname: orders\nsteps:\n" + steps
    before, found, after = text.rpartition(line)
    assert found
    assert mend(text, "OML308") == before + mended + after


@pytest.mark.parametrize("between", ["", W])
def test_a_data_step_that_stands_behind_goes_first(check, mend, between):
    text = "".join("  " + line for line in (T + between + A).splitlines(keepends=True))
    text = "oml_version: 0.1.0\nname: orders\nsteps:\n" + text
    mended = text.replace("mode: transform\n", "mode: transform\n    needs: [a]\n")
    mended = mended.replace("mode: read\n", "mode: read\n    needs: []\n")
    assert mend(text, "OML308") == mended
    assert check.analyse(mended).ok


def test_a_data_step_that_must_stand_behind_is_not_offered(check):
    (found,) = check.steps(T.replace("id: t", "id: «OML308 t»") + A + "  needs: [t]\n").diagnostics
    assert found.fixes == ()


def test_fixes_of_references(mend):
    text = "oml_version: 0.1.0\nname: orders\nsteps:\n" + READ.format("extract") + W
    assert mend(text + "  needs: [extrct]\n", "OML301") == text + "  needs: [extract]\n"
    assert mend(text + "  needs: [extract, w]\n", "OML302") == text + "  needs: [extract]\n"
    assert mend(text + "  needs: [extract, extract]\n", "OML304") == text + "  needs: [extract]\n"
    assert mend(text + "  inputs: {df: extract}\n", "OML305") == text + '  inputs: {df: "${extract.df}"}\n'
    both = text.replace("- id: w", B + "- id: w")
    assert mend(both + "  needs: [extract, b]\n", "OML309") == (
        both + '  needs: [extract, b]\n  inputs: {df: "${extract.df}"}\n'
    )


def test_tables_are_named_after_their_steps(check):
    steps = READ.format("1st") + READ.format("extract-orders") + T + "  needs: [1st, extract-orders]\n"
    graph = check.steps(steps).graph
    assert graph.data_inputs[2] == {"df__1st": 0, "df_extract_orders": 1}
    assert graph.tables(2) == graph.data_inputs[2]


def test_a_single_input_is_also_df(check):
    assert check.steps(A + T).graph.tables(1) == {"df_a": 0, "df": 0, "input_df": 0}


def test_explicit_inputs_name_the_tables(check):
    graph = check.steps(A + B + T + "  inputs: {orders: '${a.df}'}").graph
    assert (graph.data_inputs[2], graph.upstream[2]) == ({"orders": 0}, (0,))


def test_inputs_with_needs_adds_ordering_only(check):
    graph = check.steps(A + B + T + "  needs: [b]\n  inputs: {df: '${a.df}'}").graph
    assert (graph.data[2], graph.data_inputs[2], graph.upstream[2]) == ((0,), {"df_a": 0}, (1, 0))


def test_a_reader_after_a_writer_waits_and_receives_nothing(check):
    graph = check.steps(A + W + B).graph
    assert (graph.upstream[2], graph.data[2]) == ((1,), ())
