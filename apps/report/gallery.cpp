// Images with true and predicted class in the manner of the chapter's predict_ch3, and the weights as images.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include <sluice/stages/scale.hpp>
#include "apps/pictures/image.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps::report {
namespace {

constexpr std::size_t most_right = 10, most_wrong = 20, most_templates = 64;
constexpr std::size_t largest = 96;  // pixels of a side

// How an image is to be drawn: pixels as squares where they are few; what is a line, as a band.
std::string css_class(const Image& original) {
  if (is_band(original)) return "band";
  return std::max(original.width, original.height) > largest ? "smooth" : "pixels";
}

std::string tag(const Image& original, const Image& shown, std::string_view png, const std::string& alt) {
  return fmt::format("<img class=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\" src=\"{}\">", css_class(original),
                     shown.width, shown.height, alt, data_uri(png));
}

const stages::FeatureTransform* transform_of(const Report& r) {
  return r.model && !r.model->known_inputs().transform.empty() ? &r.model->known_inputs().transform : nullptr;
}

std::string picture(const Report& r, std::size_t i) {
  const stages::DataSet& test = *r.test;
  const Image original = image_of(test.images[i], test.type(), picture_shape(test),
                                  r.model ? r.model->divisor : stages::usual_divisor(test.stored), transform_of(r));
  const Image image = shrunk(original, largest);
  return tag(original, image, png(image.width, image.height, greys(image)),
             fmt::format("image {} of the test set: {}", i, class_name(r, test.labels[i])));
}

std::string figure(const Report& r, std::size_t i) {
  const std::uint16_t label = r.test->labels[i], predicted = r.predictions.predicted[i];
  const bool right = label == predicted;
  return fmt::format(
      "<li class=\"{}\"><span class=\"label\">{}</span>{}<span class=\"guess\">{}</span><span "
      "class=\"probability\">{} {}</span></li>\n",
      right ? "right" : "wrong", class_name(r, label), picture(r, i), class_name(r, predicted),
      right ? "\u2713" : "\u2717", percent(static_cast<double>(r.predictions.probability[i])));
}

std::string figures(const Report& r, const std::vector<std::size_t>& places, std::size_t most) {
  std::string html = "<ul class=\"gallery\">\n";
  for (std::size_t i = 0; i < std::min(most, places.size()); ++i) html += figure(r, places[i]);
  return html + "</ul>\n";
}

// The surest of each class, then the second of each class, and so on: the surest of all often look the same.
std::vector<std::size_t> by_turns(const Report& r, const std::vector<std::size_t>& surest_first) {
  std::vector<std::size_t> before(r.test->classes), turn(r.test->size());
  for (const std::size_t i : surest_first) turn[i] = before[r.test->labels[i]]++;
  std::vector<std::size_t> order = surest_first;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(turn[a], r.test->labels[a]) < std::pair(turn[b], r.test->labels[b]);
  });
  return order;
}

// Opacities of blue for values below zero and of red above, so that zero is the page's own colour, light or dark.
constexpr std::size_t steps = 127;  // on either side of zero
std::vector<Rgba> diverging() {
  std::vector<Rgba> palette;
  for (std::size_t i = 0; i <= 2 * steps; ++i) {
    const std::size_t distance = i < steps ? steps - i : i - steps;
    const auto opacity = static_cast<std::uint8_t>(distance * 255 / steps);
    palette.push_back(i < steps ? Rgba{37, 99, 235, opacity} : Rgba{220, 38, 38, opacity});
  }
  return palette;
}

std::uint8_t place(float value, float limit) {
  const float share = limit > 0 && std::isfinite(value) ? std::clamp(value / limit, -1.0F, 1.0F) : 0.0F;
  return static_cast<std::uint8_t>(std::lround((share + 1) * static_cast<float>(steps)));
}

std::string bar(const std::vector<Rgba>& palette, float limit) {
  std::vector<std::uint8_t> places;
  for (std::size_t i = 0; i < palette.size(); ++i) places.push_back(static_cast<std::uint8_t>(i));
  return fmt::format(
      "<p class=\"bar\"><span>\u2264 {:.3g}</span><img alt=\"from blue over nothing to red\" src=\"{}\"><span>\u2265 "
      "+{:.3g}</span></p>\n",
      0 - limit, data_uri(png(places.size(), 1, places, palette)), limit);
}

// Few weights are far larger than the others: what all but one percent of them are below is the end of the scale.
float scale(std::vector<float> sizes) {
  if (sizes.empty()) return 0;
  std::sort(sizes.begin(), sizes.end());
  const float most = sizes[(sizes.size() - 1) * 99 / 100];
  return most > 0 ? most : sizes.back();
}

}  // namespace

std::string predictions(const Report& r) {
  const std::string heading = "Predictions";
  if (!has_predictions(r)) return section("predictions", heading, note("The test set was not predicted."));
  std::vector<std::size_t> right, wrong;
  for (std::size_t i = 0; i < r.test->size(); ++i)
    (r.predictions.predicted[i] == r.test->labels[i] ? right : wrong).push_back(i);
  for (auto* places : {&right, &wrong})
    std::stable_sort(places->begin(), places->end(), [&](std::size_t a, std::size_t b) {
      return r.predictions.probability[a] > r.predictions.probability[b];
    });
  std::string html =
      "<p>Above each image its true class, below it the predicted one and the probability that the model gives "
      "it.</p>\n"
      "<h3>Wrong: the surest</h3>\n";
  html += wrong.empty() ? note("None is wrong.") : figures(r, wrong, most_wrong);
  html += "<h3>Right: the surest of each class</h3>\n";
  html += right.empty() ? note("None is right.") : figures(r, by_turns(r, right), most_right);
  return section("predictions", heading, html);
}

std::string templates(const Report& r) {
  const std::string heading = "Weights";
  if (!r.model || r.model->pixels == 0) return section("weights", heading, note("There are no weights."));
  const stages::Model& model = *r.model;
  const bool shape_known = r.test && r.test->pixels() == model.pixels;
  const stages::PictureShape shape =
      shape_known ? stages::picture_shape(*r.test) : stages::PictureShape{.columns = model.pixels};
  const std::size_t count = std::min(model.classes, most_templates);

  const std::vector<float> weights = stages::unpacked_weights(model);
  std::vector<Image> originals, images;
  std::vector<float> sizes;
  for (std::size_t c = 0; c < count; ++c) {
    originals.push_back(flattened(weights.data() + c * model.pixels, shape));
    images.push_back(shrunk(originals.back(), count > 16 ? largest / 2 : largest));
    for (const float w : images.back().values)
      if (std::isfinite(w)) sizes.push_back(std::abs(w));
  }

  const float limit = scale(std::move(sizes));
  const std::vector<Rgba> palette = diverging();
  std::string html =
      "<p>What each class looks for: red pixels speak for it, blue ones against it. All images have one scale, in "
      "logits "
      "for a pixel that is fully lit; the one percent of the weights that lies beyond its ends is drawn like them. b "
      "is the "
      "bias.</p>\n" +
      bar(palette, limit) + "<ul class=\"gallery templates\">\n";
  for (std::size_t c = 0; c < count; ++c) {
    std::vector<std::uint8_t> places;
    for (const float w : images[c].values) places.push_back(place(w, limit));
    html += fmt::format("<li><span class=\"label\">{}</span>{}<span class=\"probability\">b = {:+.3f}</span></li>\n",
                        class_name(r, c),
                        tag(originals[c], images[c], png(images[c].width, images[c].height, places, palette),
                            "weights of " + class_name(r, c)),
                        model.bias[c]);
  }
  html += "</ul>\n";
  if (count < model.classes) html += note(fmt::format("The first {} of {} classes.", count, model.classes));
  return section("weights", heading, html);
}

}  // namespace sluice::apps::report
