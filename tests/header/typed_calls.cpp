/* The typed calls in C++: the text of the C program, which must record the same. */
#include "typed_calls.c"
