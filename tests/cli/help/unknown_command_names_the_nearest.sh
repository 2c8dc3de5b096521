m31r shwo
