static_assert(sizeof(int) == 0, "the expected words");

int main() {}
