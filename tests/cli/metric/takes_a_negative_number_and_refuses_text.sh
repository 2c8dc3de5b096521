m31r metric loss -- -0.5x
