#include <sluice/stages/decimal.hpp>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <system_error>

namespace sluice::stages {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "products of doubles are rounded to doubles, once");

constexpr std::int64_t most_power = 38;
// From -most_power to most_power.
constexpr double powers_of_ten[] = {
    1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23,
    1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,
    1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,
    1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,
    1e26,  1e27,  1e28,  1e29,  1e30,  1e31,  1e32,  1e33,  1e34,  1e35,  1e36,  1e37,  1e38};
constexpr std::uint64_t whole_powers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
constexpr std::ptrdiff_t most_digits = 19;  // that 64 bits hold, whatever they are
constexpr std::size_t short_bytes = 17;     // that are read of a short number, with its sign

constexpr std::uint64_t each_byte(unsigned value) {
  return 0x0101010101010101u * std::uint64_t{value};
}

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

// The first of them is the lowest.
std::uint32_t four_bytes(const char* from) {
  std::uint32_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return std::endian::native == std::endian::little ? bytes : __builtin_bswap32(bytes);
}
std::uint64_t eight_bytes(const char* from) {
  std::uint64_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return std::endian::native == std::endian::little ? bytes : __builtin_bswap64(bytes);
}

// Eight digits 0 to 9, one a byte, the first the lowest: neighbours are joined to numbers of two digits, those to
// numbers of four, and those to one.
std::uint64_t joined(std::uint64_t digits) {
  digits = (10 * digits + (digits >> 8)) & 0x00ff00ff00ff00ffu;
  digits = (100 * digits + (digits >> 16)) & 0x0000ffff0000ffffu;
  return 10'000 * (digits & 0xffffffffu) + (digits >> 32);
}

// The highest bit of each byte that is no digit 0 to 9, and maybe of bytes behind the first of these.
std::uint64_t no_digits(std::uint64_t bytes) {
  return ((bytes + each_byte(0x80 - 10)) | bytes) & each_byte(0x80);
}

// Digits are read eight at a time as long as so many bytes can be. A number that is too long wraps around.
[[gnu::always_inline]] inline const char* take_digits(const char* at, const char* end, const char* readable,
                                                      std::uint64_t& number) {
  while (readable - at >= 8) {
    const std::uint64_t bytes = eight_bytes(at) ^ each_byte('0');
    const std::uint64_t others = no_digits(bytes);
    const std::ptrdiff_t count = std::min<std::ptrdiff_t>(others ? std::countr_zero(others) / 8 : 8, end - at);
    if (count == 0) return at;
    number = number * whole_powers[count] + joined(bytes << (64 - 8 * count));
    at += count;
    if (count < 8) return at;
  }
  for (; at != end && is_digit(*at); ++at) number = 10 * number + static_cast<unsigned char>(*at - '0');
  return at;
}

// mantissa x 10^exponent as a float, or false where that is not certain to be right. Three roundings to doubles, of the
// mantissa, the power and the result, are each by half a unit in the last place at most, together by less than four.
// The nearest float is that of the number, unless the middle between two floats is as near as that.
bool short_way(std::uint64_t mantissa, std::int64_t exponent, float& value) {
  if (exponent < -most_power || exponent > most_power) return false;
  const double number = static_cast<double>(mantissa) * powers_of_ten[most_power + exponent];
  const auto bits = std::bit_cast<std::uint64_t>(number);
  constexpr std::uint64_t beyond_float = (std::uint64_t{1} << 29) - 1, middle = std::uint64_t{1} << 28, near = 4;
  constexpr auto least = std::bit_cast<std::uint64_t>(double{FLT_MIN}),
                 most = std::bit_cast<std::uint64_t>(double{FLT_MAX});
  // One branch, that always goes the same way: one at 0 would be waited for by all that comes after it.
  const bool apart = (bits & beyond_float) - (middle - near) > 2 * near, usual = bits - least <= most - least;
  if (!(apart & (usual | (bits == 0)))) return false;
  value = static_cast<float>(number);
  return true;
}

// A number as it is written: (-1)^negative x mantissa x 10^exponent, where it has no more than most_digits digits.
struct Written {
  bool negative = false;
  std::uint64_t mantissa = 0;
  std::int64_t exponent = 0;
  std::ptrdiff_t digits = 0;
  bool short_enough() const { return digits <= most_digits; }
};

// What is written behind an e, up to the end of the text; nothing: it is no number.
std::optional<std::int64_t> exponent_in(const char* at, const char* end) {
  constexpr std::int64_t most = 1'000'000'000;  // far beyond what float32 has, and far from what overflows
  const bool negative = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) ++at;
  if (at == end) return std::nullopt;
  std::int64_t exponent = 0;
  for (; at != end && is_digit(*at); ++at) exponent = std::min(10 * exponent + (*at - '0'), most);
  return at == end ? std::optional(negative ? -exponent : exponent) : std::nullopt;
}

// Whether it is one. (Into `number`, not as a result: that would be copied in wider pieces than it was written in, for
// which a processor waits.)
[[gnu::always_inline]] inline bool scan(const char* at, const char* end, const char* readable, Written& number) {
  number.negative = at != end && *at == '-';
  at += at != end && (*at == '-' || *at == '+');
  const char* const first = at;
  at = take_digits(at, end, readable, number.mantissa);
  number.digits = at - first;
  if (at != end && *at == '.') {
    const char* const behind_point = at + 1;
    at = take_digits(behind_point, end, readable, number.mantissa);
    number.exponent = behind_point - at;
    number.digits += at - behind_point;
  }
  if (at != end) {
    if (*at != 'e' && *at != 'E') return false;
    const auto exponent = exponent_in(at + 1, end);
    if (!exponent) return false;
    number.exponent += *exponent;
  }
  return number.digits > 0;
}

// The same of the usual ones, without an exponent, of at most 16 characters, with the point among the first eight. As
// many bytes are read.
[[gnu::always_inline]] inline bool scan_short(const char* at, std::ptrdiff_t length, Written& number) {
  number.negative = *at == '-';
  at += number.negative, length -= number.negative;
  if (length < 1 || length > 16) return false;
  std::uint64_t first = eight_bytes(at) ^ each_byte('0'), second = eight_bytes(at + 8) ^ each_byte('0');
  const std::uint64_t differ = first ^ each_byte('.' ^ '0');
  // The highest bit of each byte that is a point, and maybe of bytes behind the first of these.
  const std::uint64_t points = (differ - each_byte(1)) & ~differ & each_byte(0x80);
  const int bits_before = std::countr_zero(points) - 7;
  if (points && bits_before < 8 * length) {
    // It is taken out: what is behind it moves up.
    const std::uint64_t before = (std::uint64_t{1} << bits_before) - 1;
    first = (first & before) | ((first >> 8 | second << 56) & ~before);
    second >>= 8;
    number.exponent = bits_before / 8 - --length;
  }
  if (length > 8) {
    second <<= 8 * (16 - length);
    number.mantissa = joined(first) * whole_powers[length - 8] + joined(second);
    return (no_digits(first) | no_digits(second)) == 0;
  }
  if (length < 1) return false;
  first <<= 8 * (8 - length);
  number.mantissa = joined(first);
  return no_digits(first) == 0;
}

// What float32 does not have: 0, or too large; the place of its first digit says it.
Decimal zero_or_too_large(std::string_view text) {
  Written number;
  scan(text.data(), text.data() + text.size(), text.data(), number);
  std::int64_t digits = 0;  // with zeros before them
  std::int64_t zeros = -1;  // before the first other one; none: all are
  for (const char c : text.substr(0, text.find_first_of("eE")))
    if (is_digit(c)) {
      if (c != '0' && zeros < 0) zeros = digits;
      ++digits;
    }
  const bool small = zeros < 0 || number.exponent + digits - zeros < 0;
  if (!small) return {Decimal::too_large, 0};
  return {Decimal::number, number.negative ? -0.0f : 0.0f};
}

}  // namespace

Decimal decimal(std::string_view text) {
  const char *const begin = text.data(), *const end = begin + text.size();
  Written number;
  if (!scan(begin, end, end, number)) return {};
  float value = 0;
  if (number.short_enough() && short_way(number.mantissa, number.exponent, value))
    return {Decimal::number, number.negative ? -value : value};
  // It refuses both what is too large and what is too small, and a plus.
  const std::from_chars_result read = std::from_chars(begin + (*begin == '+'), end, value);
  if (read.ec != std::errc{} || !std::isfinite(value)) return zero_or_too_large(text);
  return {Decimal::number, value};
}

std::uint32_t read_bytes(std::string_view text, const std::uint32_t* ends, std::uint32_t count, std::uint8_t* to) {
  while (count > 0 && text.size() - ends[count] < 4) --count;  // four bytes are read of each
  std::uint32_t begin = ends[0] + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t end = ends[i + 1], length = end - begin;
    if (length - 1 >= 3) return i;
    // The last digit is the highest byte; what is not the cell's is moved out.
    const std::uint32_t digits = (four_bytes(text.data() + begin) ^ 0x30303030u) << (32 - 8 * length);
    if (((digits + 0x06060606u) | digits) & 0xf0f0f0f0u) return i;
    if (__builtin_bswap32(digits) > 0x00020505u) return i;
    to[i] = static_cast<std::uint8_t>(digits * (1u + (10u << 8) + (100u << 16)) >> 24);
    begin = end + 1;
  }
  return count;
}

std::uint32_t read_floats(std::string_view text, const std::uint32_t* ends, std::uint32_t count, float* to) {
  const char* const readable = text.data() + text.size();
  const char* begin = text.data() + static_cast<std::uint32_t>(ends[0] + 1);
  const char* const last_short = readable - std::min(text.size(), short_bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    const char* const end = text.data() + ends[i + 1];
    Written number;
    float value = 0;
    if (begin >= last_short || !scan_short(begin, end - begin, number)) {
      number = {};
      if (!scan(begin, end, readable, number) || !number.short_enough()) return i;
    }
    if (!short_way(number.mantissa, number.exponent, value)) return i;
    to[i] = number.negative ? -value : value;
    begin = end + 1;
  }
  return count;
}

}  // namespace sluice::stages
