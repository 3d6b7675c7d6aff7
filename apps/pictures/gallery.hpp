// Images with what they are and what they were taken for, as one picture in the manner of the chapter's show_images.
//
// items, in order -> a grid, at most 8 in a row (more only beyond 32 images): above each image its true class, if it is
// known, and below that the predicted one, green or red; below the image the probability. A wrong one has a thick red
// frame. An image is scaled to its cell: pixels as squares where they are few, means of boxes where they are many, and
// what is very long is stretched. As SVG, with names as they are, or as PNG, with '?' for what is not ASCII.
// Pure functions. Errors: std::invalid_argument for an image without pixels or of another size than its rows and
// columns say, for more than 1000 images, and for a name that ends otherwise; std::runtime_error if a PNG cannot be
// encoded.
//
//   const std::string bytes = gallery("out.png", {{.rows = 28, .columns = 28, .pixels = pixels, .predicted = "Coat"}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::apps {

struct GalleryItem {
  std::size_t rows = 0, columns = 0;
  std::vector<std::uint8_t> pixels{};  // (rows x columns), 0 is black
  std::string predicted{};             // names of classes
  std::optional<std::string> label{};
  std::optional<double> probability{};  // of the predicted class, 0 to 1

  bool wrong() const { return label && *label != predicted; }
};

inline constexpr std::size_t usual_gallery = 32, most_gallery = 1000;  // images

std::string gallery_svg(const std::vector<GalleryItem>& items);
std::string gallery_png(const std::vector<GalleryItem>& items);

// By how the file's name ends: .svg or .png.
bool is_gallery_name(const std::string& path);
std::string gallery(const std::string& path, const std::vector<GalleryItem>& items);

}  // namespace sluice::apps
