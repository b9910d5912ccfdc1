"""How often a model comes to a pipeline whose output is right: tasks over example databases, judged by running."""
