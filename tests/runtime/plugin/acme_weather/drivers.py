"""What the components of this package do when they run."""

import pandas as pd


class WeatherDriver:
    """Makes up the weather of some days."""

    def run(self, step_id, config, inputs, ctx):
        """Return the rows as a pandas frame."""
        days = pd.date_range("2026-01-01", periods=config["days"], freq="D")
        df = pd.DataFrame({"city": config["city"], "day": days, "celsius": [float(10 * n) for n in range(len(days))]})
        ctx.log_event("step_progress", {"step_id": step_id, "percent": 100})
        ctx.log_metric("rows_read", len(df), unit="rows")
        return {"df": df}


class FahrenheitDriver:
    """Adds a column to whatever comes in."""

    def run(self, step_id, config, inputs, ctx):
        """Take the rows as a pandas frame, and return one."""
        df = inputs["df"].to_pandas()
        df["fahrenheit"] = df[config["column"]] * 9 / 5 + 32
        return {"df": df}
