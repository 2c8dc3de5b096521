printf '{"level":"INFO","module":"m","msg":"a\302\233b\342\200\256c","k\302\205":"\342\200\217"}\n' | m31r logs - --text
