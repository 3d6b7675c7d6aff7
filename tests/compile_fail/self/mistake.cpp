template <class T>
void require() {
#ifdef SLUICE_VALID
  static_assert(sizeof(T) != 0, "the expected words");
#else
  static_assert(sizeof(T) == 0, "the expected words");
#endif
}

int main() {
  require<int>();
}
