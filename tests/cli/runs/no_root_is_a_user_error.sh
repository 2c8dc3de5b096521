m31r runs
