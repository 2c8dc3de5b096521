printf "{\"step\":1}\n" | m31r logs - --around 5
