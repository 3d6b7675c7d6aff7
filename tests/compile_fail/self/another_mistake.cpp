// The expected words stand in the source line that the compiler would quote, and are not what it complains about.
#ifdef SLUICE_VALID
int main() {}
#else
int main() {
  return undeclared(/* the expected words */);
}
#endif
