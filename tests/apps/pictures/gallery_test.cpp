#include "apps/pictures/gallery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>

#include "apps/pictures/bitmap_font.hpp"
#include "apps/pictures/image.hpp"
#include "tests/apps/pictures/pictures.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

using Items = std::vector<GalleryItem>;
using Colour = std::array<int, 3>;

GalleryItem item(std::size_t rows, std::size_t columns, std::uint8_t value, const std::string& predicted = "Coat",
                 const std::optional<std::string>& label = "Coat") {
  return {.rows = rows,
          .columns = columns,
          .pixels = std::vector<std::uint8_t>(rows * columns, value),
          .predicted = predicted,
          .label = label};
}

struct Picture {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> bytes;

  explicit Picture(const Items& items) { bytes = decoded(gallery_png(items), PNG_FORMAT_RGB, width, height); }
  Colour at(std::size_t x, std::size_t y) const {
    const std::uint8_t* const p = bytes.data() + 3 * (y * width + x);
    return {p[0], p[1], p[2]};
  }
  // How many pixels of an area have this colour; all of it by default.
  std::size_t count(const Colour& c, std::size_t top = 0, std::size_t bottom = ~std::size_t{0}) const {
    std::size_t n = 0;
    for (std::size_t y = top; y < std::min(bottom, height); ++y)
      for (std::size_t x = 0; x < width; ++x) n += at(x, y) == c;
    return n;
  }
};

constexpr Colour red{200, 30, 30}, green{21, 128, 61};

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

// Enough of XML for the picture: every element is closed, in the order in which they were opened, and every & begins an
// entity.
void expect_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size(); ++at) {
    if (xml[at] == '&') {
      const std::string entity = xml.substr(at, xml.find(';', at) + 1 - at);
      EXPECT_TRUE((std::set<std::string>{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}).contains(entity)) << entity;
    }
    if (xml[at] != '<') continue;
    const std::size_t end = xml.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = xml.substr(at + 1, end - at - 1);
    EXPECT_EQ(occurrences(tag, "\"") % 2, 0u) << tag;
    if (tag.front() == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  EXPECT_TRUE(open.empty());
}

TEST(Gallery, ShowsEachPixelAsASquareOfItsGrey) {
  GalleryItem two = item(28, 28, 0);
  two.pixels[0] = 77;
  two.pixels[28 * 28 - 1] = 201;
  const Picture picture(Items{two});
  EXPECT_EQ(picture.width, 16u + 168 + 16);
  EXPECT_EQ(picture.count({77, 77, 77}), 25u);  // 140 / 28 = 5 a side
  EXPECT_EQ(picture.count({201, 201, 201}), 25u);
  EXPECT_EQ(picture.count({0, 0, 0}), 140u * 140 - 50);
  EXPECT_EQ(picture.at(30, 16 + 2 * 22 + 4), (Colour{77, 77, 77}));
}

TEST(Image, IsCutOffBeyondTheScale) {
  const float pixels[] = {-1, 0, 1, 2, 1000};
  EXPECT_EQ(greys(image_of(reinterpret_cast<const std::uint8_t*>(pixels), stages::Pixel::float32, {1, 1, 5}, 2)),
            (std::vector<std::uint8_t>{0, 0, 128, 255, 255}));
  const std::uint8_t bytes[] = {0, 51, 255};
  EXPECT_EQ(greys(image_of(bytes, stages::Pixel::uint8, {1, 1, 3}, 51)), (std::vector<std::uint8_t>{0, 255, 255}));
}

TEST(Gallery, AWrongOneHasAThickRedFrameAndARedName) {
  const Picture right(Items{item(28, 28, 9)}), wrong(Items{item(28, 28, 9, "Shirt", "Coat")}),
      unknown(Items{item(28, 28, 9, "Shirt", std::nullopt)});
  EXPECT_EQ(right.count(red), 0u);
  EXPECT_GT(right.count(green), 50u);
  EXPECT_EQ(wrong.count(green), 0u);
  EXPECT_EQ(wrong.count(red, 16 + 44), 148u * 148 - 140 * 140);
  EXPECT_GT(wrong.count(red, 16 + 22, 16 + 44), 50u);
  EXPECT_EQ(wrong.count(red, 0, 16 + 22), 0u);  // the true class
  EXPECT_EQ(unknown.count(red) + unknown.count(green), 0u);
}

TEST(Gallery, IsAGridInOrderOfAtMostEightInARow) {
  Items items;
  for (std::uint8_t i = 0; i < 10; ++i) items.push_back(item(28, 28, static_cast<std::uint8_t>(100 + i)));
  const Picture picture(items);
  EXPECT_EQ(picture.width, 16u + 5 * 184);
  for (std::size_t i = 0; i < 10; ++i) {
    const int value = 100 + static_cast<int>(i);
    EXPECT_EQ(picture.at(16 + i % 5 * 184 + 84, 16 + i / 5 * (picture.height - 16) / 2 + 100),
              (Colour{value, value, value}));
  }
  EXPECT_EQ(Picture(Items(8, item(2, 2, 1))).width, 16u + 8 * 184);
  EXPECT_EQ(Picture(Items(usual_gallery, item(2, 2, 1))).width, 16u + 8 * 184);
}

TEST(Gallery, ImagesOfAnyShapeAreScaledToTheirCell) {
  struct Case {
    std::size_t rows, columns, drawn_rows, drawn_columns;
  };
  for (const Case& c : {Case{1, 1, 140, 140}, Case{3, 2000, 69, 140}, Case{2000, 3, 140, 69}, Case{1000, 700, 140, 98},
                        Case{1, 5000, 70, 140}, Case{100, 2000, 70, 140}, Case{30, 30, 120, 120}, Case{1, 9, 70, 135},
                        Case{140, 140, 140, 140}, Case{141, 141, 140, 140}}) {
    const Picture picture(Items{item(c.rows, c.columns, 123)});
    EXPECT_EQ(picture.count({123, 123, 123}), c.drawn_rows * c.drawn_columns) << c.rows << " x " << c.columns;
    expect_well_formed(gallery_svg({item(c.rows, c.columns, 123)}));
    EXPECT_LT(gallery_svg({item(c.rows, c.columns, 123)}).size(), 3000u);
  }
}

TEST(Gallery, NamesAreDrawnWithinTheirCell) {
  const Picture picture(Items{item(28, 28, 9, std::string(300, 'W'), "M\xc3\xbctze \xff"), item(28, 28, 9)});
  for (std::size_t y = 0; y < picture.height; ++y)
    for (std::size_t x = 184; x < 200; ++x) EXPECT_EQ(picture.at(x, y), (Colour{255, 255, 255}));
}

TEST(Gallery, TheProbabilityIsBelowTheImage) {
  GalleryItem sure = item(28, 28, 9);
  const std::size_t without = Picture(Items{sure}).height;
  sure.probability = 0.987;
  const Picture picture(Items{sure});
  EXPECT_EQ(picture.height, without + 22);
  EXPECT_GT(picture.count({82, 82, 91}, without - 16), 50u);
  EXPECT_TRUE(contains(gallery_svg({sure}), ">98.7 %</text>"));
}

TEST(Gallery, AsSvgHasTheSamePixelsAsAPngWithin) {
  GalleryItem small = item(2, 3, 0);
  small.pixels = {1, 2, 3, 4, 5, 6};
  const std::string svg = gallery_svg({small});
  EXPECT_TRUE(contains(svg, data_uri(png(3, 2, small.pixels))));
  EXPECT_TRUE(contains(svg, "image-rendering:pixelated"));
  EXPECT_EQ(occurrences(svg, "<image "), 1u);
}

TEST(Gallery, AsSvgIsWellFormedWhateverTheNames) {
  const std::string svg =
      gallery_svg({item(1, 1, 0, "</text><script>", "a & \"b\" 'c'"),
                   item(1, 1, 0, std::string("\x1b[31m\xff\0", 7), "\xef\xbf\xbe\n"), item(1, 1, 0)});
  expect_well_formed(svg);
  EXPECT_TRUE(contains(svg, ">&lt;/text&gt;&lt;script&gt;</text>"));
  EXPECT_TRUE(contains(svg, "<title>a &amp; &quot;b&quot; &#39;c&#39;, taken for &lt;/text&gt;&lt;script&gt;: wrong"));
  EXPECT_EQ(svg.find_first_of(std::string("\x1b\xff\0", 3)), std::string::npos);
  EXPECT_FALSE(contains(svg, "\xef\xbf\xbe"));
}

TEST(Gallery, WithoutImagesIsAnEmptyPicture) {
  const Picture picture(Items{});
  EXPECT_EQ(picture.count({255, 255, 255}), picture.width * picture.height);
  expect_well_formed(gallery_svg({}));
}

TEST(Gallery, TheNameOfTheFileSaysWhichItIs) {
  const Items items{item(1, 1, 0)};
  EXPECT_EQ(gallery("out.svg", items), gallery_svg(items));
  EXPECT_EQ(gallery("a.svg/out.png", items), gallery_png(items));
  EXPECT_TRUE(is_gallery_name("x.png") && is_gallery_name("x.svg"));
  EXPECT_FALSE(is_gallery_name("x.jpg") || is_gallery_name("png"));
  EXPECT_THROW(gallery("out.jpg", items), std::invalid_argument);
}

TEST(Gallery, WhatIsNoImageIsRefused) {
  GalleryItem cut = item(2, 3, 0);
  cut.pixels.pop_back();
  EXPECT_THROW(gallery_png({cut}), std::invalid_argument);
  EXPECT_THROW(gallery_svg({cut}), std::invalid_argument);
  EXPECT_THROW(gallery_png({item(0, 3, 0)}), std::invalid_argument);
  EXPECT_THROW(gallery_png(Items(most_gallery + 1, item(1, 1, 0))), std::invalid_argument);
}

TEST(BitmapFont, HasADifferentLetterForEachPrintableCharacter) {
  std::set<std::string> drawings;
  for (char c = ' '; c <= '~'; ++c) {
    std::string drawing;
    for (std::size_t y = 0; y < glyph_height; ++y)
      for (std::size_t x = 0; x < glyph_width; ++x) drawing += dot(c, x, y) ? '#' : ' ';
    EXPECT_EQ(drawing.find('#') == std::string::npos, c == ' ') << c;
    drawings.insert(drawing);
  }
  EXPECT_EQ(drawings.size(), 95u);
}

TEST(BitmapFont, DrawsAnythingElseAsAQuestionMark) {
  EXPECT_EQ(ascii("M\xc3\xbctze \xe9\x9d\xb4\xe4\xb8\x8b\n"), "M?tze ???");
  for (std::size_t y = 0; y < glyph_height; ++y)
    for (std::size_t x = 0; x < glyph_width; ++x) EXPECT_EQ(dot('\xff', x, y), dot('?', x, y));
}

}  // namespace
}  // namespace sluice::apps::testing
