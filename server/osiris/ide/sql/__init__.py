"""What editor features share about SQL in the config of a step: where it stands, its tables, the words of dialects."""
