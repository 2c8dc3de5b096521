m31r init --config nowhere.yaml
