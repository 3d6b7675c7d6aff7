#include "apps/pictures/gallery.hpp"
#include <sluice/pipeline/printable.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "apps/pictures/bitmap_font.hpp"
#include "apps/pictures/escaped.hpp"
#include "apps/pictures/image.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

// Sizes, in pixels of the picture.
constexpr std::size_t cell = 168, margin = 16, line = 22;
constexpr std::size_t box = 140;            // that an image is scaled to: five times Fashion-MNIST's 28
constexpr std::size_t frame = 4;            // around it; thin where the image is not wrong
constexpr std::size_t dots = 2;             // a dot of a letter in PNG
constexpr std::size_t letters_in_svg = 20;  // about as many as fit in a cell

struct Colour {
  std::uint8_t red, green, blue;
};
constexpr Colour white{255, 255, 255}, black{24, 24, 27}, grey{82, 82, 91}, pale{190, 190, 196}, good{21, 128, 61},
    bad{200, 30, 30};

std::string hex(Colour c) {
  return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue);
}

void check(const std::vector<GalleryItem>& items) {
  if (items.size() > most_gallery)
    throw std::invalid_argument(fmt::format("gallery: {} images, expected at most {}", items.size(), most_gallery));
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].pixels.empty() || items[i].pixels.size() != items[i].rows * items[i].columns)
      throw std::invalid_argument(fmt::format("gallery: image {} has {} pixels, expected {} x {}", i,
                                              items[i].pixels.size(), items[i].rows, items[i].columns));
}

// Where everything lies. The lines of text and the image of a cell are placed from the cell's top.
struct Layout {
  std::size_t columns = 0, rows = 0;
  std::size_t titles = 1;  // lines
  bool probabilities = false;

  explicit Layout(const std::vector<GalleryItem>& items) {
    const std::size_t widest =
        std::max<std::size_t>(8, static_cast<std::size_t>(std::sqrt(2 * static_cast<double>(items.size()))));
    rows = std::max<std::size_t>(1, (items.size() + widest - 1) / widest);
    columns = std::max<std::size_t>(1, (items.size() + rows - 1) / rows);
    for (const GalleryItem& item : items) {
      if (item.label) titles = 2;
      if (item.probability) probabilities = true;
    }
  }
  std::size_t image_top() const { return titles * line + frame; }
  std::size_t cell_height() const { return image_top() + box + frame + (probabilities ? line : 0); }
  std::size_t width() const { return margin + columns * (cell + margin); }
  std::size_t height() const { return margin + rows * (cell_height() + margin); }
  std::size_t left(std::size_t i) const { return margin + i % columns * (cell + margin); }
  std::size_t top(std::size_t i) const { return margin + i / columns * (cell_height() + margin); }
};

// An image, no larger than it is drawn, and how it is drawn.
struct Placed {
  Image image;
  std::size_t width = 0, height = 0, left = 0, top = 0;  // within its cell

  Placed(const GalleryItem& item, const Layout& layout) {
    const Image original{item.columns, item.rows, {item.pixels.begin(), item.pixels.end()}};
    const std::size_t longer = std::max(original.width, original.height);
    const bool band = is_band(original);
    image = band || longer <= box ? original : shrunk(original, box);
    const auto drawn = [&](std::size_t side) {
      const std::size_t room = band && side < longer ? box / 2 : box;
      if (side > room) return room;
      return side * (room / (band ? side : std::max(image.width, image.height)));  // whole pixels
    };
    width = drawn(image.width), height = drawn(image.height);
    if (band) image = averaged(original, std::min(original.width, width), std::min(original.height, height));
    left = (cell - width) / 2, top = layout.image_top() + (box - height) / 2;
  }
};

std::string probability(const GalleryItem& item) {
  return item.probability ? percent(*item.probability) : "";
}
Colour colour(const GalleryItem& item) {
  return !item.label ? black : item.wrong() ? bad : good;
}

// What a reader of the picture is told of an image.
std::string in_words(const GalleryItem& item) {
  std::string text = item.label ? *item.label + ", taken for " + item.predicted : "taken for " + item.predicted;
  if (item.label) text += item.wrong() ? ": wrong" : ": right";
  if (item.probability) text += ", " + probability(item);
  return text;
}

std::string svg_text(std::size_t baseline, Colour colour, const std::string& text) {
  return fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>", cell / 2, baseline, hex(colour),
                     escaped(fitted(text, letters_in_svg)));
}

// An opaque picture that is white at first.
class Canvas {
 public:
  Canvas(std::size_t width, std::size_t height) : width_(width), height_(height), bytes_(3 * width * height, 255) {}

  void set(std::size_t x, std::size_t y, Colour c) {
    std::uint8_t* const pixel = bytes_.data() + 3 * (y * width_ + x);
    pixel[0] = c.red, pixel[1] = c.green, pixel[2] = c.blue;
  }
  void rectangle(std::size_t left, std::size_t top, std::size_t width, std::size_t height, Colour c) {
    for (std::size_t y = top; y < top + height; ++y)
      for (std::size_t x = left; x < left + width; ++x) set(x, y, c);
  }
  void image(std::size_t left, std::size_t top, std::size_t width, std::size_t height, const Image& image) {
    const std::vector<std::uint8_t> values = greys(image);
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) {
        const std::uint8_t v = values[y * image.height / height * image.width + x * image.width / width];
        set(left + x, top + y, {v, v, v});
      }
  }
  // In the middle of a cell; what is too long for it ends in two points.
  void text(std::size_t left, std::size_t top, Colour c, const std::string& text) {
    constexpr std::size_t step = (glyph_width + 1) * dots, most = cell / step;
    std::string letters = ascii(printable(text.substr(0, 4 * (most + 1))));
    if (letters.size() > most) letters = letters.substr(0, most - 2) + "..";
    left += (cell - letters.size() * step) / 2;
    for (const char letter : letters) {
      for (std::size_t y = 0; y < glyph_height; ++y)
        for (std::size_t x = 0; x < glyph_width; ++x)
          if (dot(letter, x, y)) rectangle(left + x * dots, top + y * dots, dots, dots, c);
      left += step;
    }
  }
  std::string png() const { return png_of_colours(width_, height_, bytes_); }

 private:
  std::size_t width_, height_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

std::string gallery_svg(const std::vector<GalleryItem>& items) {
  check(items);
  const Layout layout(items);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "font-family=\"sans-serif\" font-size=\"15\" text-anchor=\"middle\">\n<title>{2} image{3} and what {4} taken "
      "for</title>\n<rect width=\"{0}\" height=\"{1}\" fill=\"{5}\"/>\n",
      layout.width(), layout.height(), items.size(), items.size() == 1 ? "" : "s",
      items.size() == 1 ? "it was" : "they were", hex(white));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const GalleryItem& item = items[i];
    const Placed placed(item, layout);
    const std::size_t thickness = item.wrong() ? frame : 1;
    svg += fmt::format("<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title>", layout.left(i),
                       layout.top(i), cell, layout.cell_height(), escaped(printable(in_words(item))));
    if (item.label) svg += svg_text(line - 6, black, *item.label);
    svg += svg_text(layout.titles * line - 6, colour(item), item.predicted);
    svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>", placed.left - thickness,
                       placed.top - thickness, placed.width + 2 * thickness, placed.height + 2 * thickness,
                       hex(item.wrong() ? bad : pale));
    svg += fmt::format(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
        "style=\"image-rendering:pixelated\" href=\"{}\"/>",
        placed.left, placed.top, placed.width, placed.height,
        data_uri(png(placed.image.width, placed.image.height, greys(placed.image))));
    if (item.probability) svg += svg_text(layout.cell_height() - 5, grey, probability(item));
    svg += "</svg>\n";
  }
  return svg + "</svg>\n";
}

std::string gallery_png(const std::vector<GalleryItem>& items) {
  check(items);
  const Layout layout(items);
  Canvas canvas(layout.width(), layout.height());
  constexpr std::size_t above = (line - glyph_height * dots) / 2;  // the letters of a line
  for (std::size_t i = 0; i < items.size(); ++i) {
    const GalleryItem& item = items[i];
    const Placed placed(item, layout);
    const std::size_t left = layout.left(i), top = layout.top(i), thickness = item.wrong() ? frame : 1;
    if (item.label) canvas.text(left, top + above, black, *item.label);
    canvas.text(left, top + (layout.titles - 1) * line + above, colour(item), item.predicted);
    canvas.rectangle(left + placed.left - thickness, top + placed.top - thickness, placed.width + 2 * thickness,
                     placed.height + 2 * thickness, item.wrong() ? bad : pale);
    canvas.image(left + placed.left, top + placed.top, placed.width, placed.height, placed.image);
    if (item.probability) canvas.text(left, top + layout.cell_height() - line + above, grey, probability(item));
  }
  return canvas.png();
}

bool is_gallery_name(const std::string& path) {
  return path.ends_with(".svg") || path.ends_with(".png");
}

std::string gallery(const std::string& path, const std::vector<GalleryItem>& items) {
  if (!is_gallery_name(path)) throw std::invalid_argument(path + ": expected a name that ends in .png or .svg");
  return path.ends_with(".svg") ? gallery_svg(items) : gallery_png(items);
}

}  // namespace sluice::apps
