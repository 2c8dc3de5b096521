m31r metric loss 1.5 --step 3
