#include "apps/fetch/catalog.hpp"

#include <algorithm>

namespace sluice::apps {

// Mirrors: those of the sets' own pages, of torchvision (torchvision/datasets/mnist.py), of TensorFlow Datasets and of
// Keras, as far as they answer by https. Fashion-MNIST's and MNIST's first addresses do not. MD5 sums, which
// torchvision and the pages of Fashion-MNIST and CIFAR-10 state, are left out where there is a SHA-256.
std::span<const DataSet> data_sets() {
  static const std::vector<DataSet> all{
      {.name = "fashion-mnist",
       .what = "Fashion-MNIST: 70000 images of clothes, 28 x 28, 10 classes",
       .mirrors = {"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                   "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/fashion_mnist.txt",
       .files =
           {{"train-images-idx3-ubyte.gz", 26421880,
             "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
            {"train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
            {"t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
            {"t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}}},
      {.name = "mnist",
       .what = "MNIST: 70000 handwritten digits, 28 x 28",
       .mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                   "https://storage.googleapis.com/cvdf-datasets/mnist/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/mnist.txt",
       .files =
           {{"train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
            {"train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
            {"t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
            {"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}}},
      {.name = "kmnist",
       .what = "Kuzushiji-MNIST: 70000 handwritten hiragana, 28 x 28, 10 classes",
       .mirrors = {"https://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/kmnist.txt",
       .files =
           {{"train-images-idx3-ubyte.gz", 18165135,
             "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"},
            {"train-labels-idx1-ubyte.gz", 29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"},
            {"t10k-images-idx3-ubyte.gz", 3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"},
            {"t10k-labels-idx1-ubyte.gz", 5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"}}},
      {.name = "qmnist",
       .what = "QMNIST: MNIST made again, with 60000 digits to test on, 28 x 28",
       .mirrors = {"https://raw.githubusercontent.com/facebookresearch/qmnist/master/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/qmnist.txt",
       .files = {{"qmnist-train-images-idx3-ubyte.gz", 9704059,
                  "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"},
                 {"qmnist-train-labels-idx2-int.gz", 463024,
                  "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"},
                 {"qmnist-test-images-idx3-ubyte.gz", 9742279,
                  "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"},
                 {"qmnist-test-labels-idx2-int.gz", 526800,
                  "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"}},
       .flags = " --label-column 1"},
      {.name = "emnist",
       .what = "EMNIST: 814255 handwritten letters and digits, 28 x 28, in six selections",
       .mirrors = {"https://biometrics.nist.gov/cs_links/EMNIST/",
                   "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/emnist.txt",
       .files = {{"gzip.zip", 561753746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"}},
       .kept = DataSet::Kept::emnist,
       .data = "/letters",
       .remark = "unpacked into a folder for each selection (balanced, byclass, bymerge, digits, letters, mnist), 24 "
                 "files of IDX in gzip; the zip file is taken away then"},
      {.name = "cifar-10",
       .what = "CIFAR-10: 60000 photographs in colour, 32 x 32, 10 classes",
       .mirrors = {"https://www.cs.toronto.edu/~kriz/"},
       .digests = "TensorFlow Datasets, tensorflow_datasets/url_checksums/cifar10.txt",
       .files = {{"cifar-10-binary.tar.gz", 170052171,
                  "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
       .kept = DataSet::Kept::cifar_10,
       .remark = "its batches are put into four files of IDX, not compressed, and its names of classes into "
                 "batches.meta.txt; the archive is taken away then"}};
  return all;
}

const DataSet* find_data_set(const std::string& name) {
  const auto all = data_sets();
  const auto found = std::find_if(all.begin(), all.end(), [&](const DataSet& set) { return set.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace sluice::apps
