value > high {
