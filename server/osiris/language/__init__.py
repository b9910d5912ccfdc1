"""Tree and registry to meaning: model, graph, rules, fixes, secret detectors."""
