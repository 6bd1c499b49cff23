// SPDX-License-Identifier: Apache-2.0
//
// package_index: indexes Debian's package lists with Scree and answers questions about them. On the way it shows what
// the engine promises: batches over several indexes that are seen whole or not at all, snapshots under writers, and
// that nothing acknowledged is lost when the process is killed.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "run.h"
#include "store.h"

namespace package_index {
namespace {

using scree::Status;

constexpr const char* kUsage =
    "usage: package_index --data DIR COMMAND\n"
    "\n"
    "  run [--input FILE] [--threads N] [--rounds N]\n"
    "                   index FILE, or what apt-cache dumpavail prints, from nothing; kill the\n"
    "                   indexing process N times (3) on the way and check what it left\n"
    "  show NAME        the stanza of a package\n"
    "  section NAME     the packages of a section\n"
    "  dependants NAME  the packages that depend on NAME\n"
    "  stats            what is in the store\n"
    "\n"
    "run starts workers by itself: package_index --data DIR work --threads N --reports FD\n";

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "package_index: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

struct Arguments {
  std::string data;
  std::string command;
  std::string name;
  std::string input;
  unsigned threads = 2;
  unsigned rounds = 3;
  int reports = -1;
};

unsigned parse_number(std::string_view option, std::string_view text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    refuse(std::string(option) + " takes a number from " + std::to_string(least) + " to " + std::to_string(most) +
           ", not '" + std::string(text) + "'");
  }
  return number;
}

Arguments parse_arguments(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  Arguments arguments;
  std::set<std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (!word.starts_with("--")) {
      if (arguments.command.empty()) {
        arguments.command = word;
      } else if (arguments.name.empty()) {
        arguments.name = word;
      } else {
        refuse("unexpected argument '" + word + "'");
      }
      continue;
    }
    if (word != "--data" && word != "--input" && word != "--threads" && word != "--rounds" && word != "--reports") {
      refuse("unknown option " + word);
    }
    if (i + 1 == words.size()) refuse(word + " needs a value");
    const std::string& value = words[++i];
    if (value.empty()) refuse(word + " needs a value");
    given.insert(word);
    if (word == "--data") arguments.data = value;
    if (word == "--input") arguments.input = value;
    if (word == "--threads") arguments.threads = parse_number(word, value, 1, 64);
    if (word == "--rounds") arguments.rounds = parse_number(word, value, 0, 1000);
    if (word == "--reports") arguments.reports = static_cast<int>(parse_number(word, value, 0, 1023));
  }

  const std::string& command = arguments.command;
  const bool query = command == "show" || command == "section" || command == "dependants";
  if (command.empty()) refuse("no command");
  if (!query && command != "run" && command != "stats" && command != "work") refuse("unknown command " + command);
  if (query && arguments.name.empty()) refuse(command + " needs a name");
  if (!query && !arguments.name.empty()) refuse("unexpected argument '" + arguments.name + "'");
  if (arguments.data.empty()) refuse("--data is missing");
  given.erase("--data");
  if (command == "run") {
    given.erase("--input");
    given.erase("--rounds");
  }
  if (command == "run" || command == "work") given.erase("--threads");
  if (command == "work" && given.erase("--reports") == 0) refuse("work needs --reports");
  if (!given.empty()) refuse(*given.begin() + " means nothing to " + command);
  return arguments;
}

int report(const Status& status) {
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "package_index: %s\n", status.to_string().c_str());
  return 1;
}

int show(const Store& store, const std::string& name) {
  std::string stanza;
  const Status status = store.get_package(nullptr, name, &stanza);
  if (status.is_not_found()) {
    std::fprintf(stderr, "package_index: there is no package %s\n", name.c_str());
    return 1;
  }
  if (status.is_ok()) std::printf("%s\n", stanza.c_str());
  return report(status);
}

int list(const Store& store, const scree::Index& index, const std::string& under) {
  return report(store.for_each_under(nullptr, index, under, [](std::string_view name) {
    std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
  }));
}

int stats(const Store& store) {
  const std::unique_ptr<const scree::Snapshot> snapshot = store.engine().snapshot();
  for (const scree::Index& index : store.engine().list_indexes()) {
    scree::IteratorOptions options;
    options.snapshot = snapshot.get();
    const auto entry = store.engine().iterator(options, index);
    std::size_t entries = 0;
    std::size_t bytes = 0;
    for (entry->seek_to_first(); entry->valid(); entry->next()) {
      ++entries;
      bytes += entry->key().size() + entry->value().size();
    }
    if (const int failed = report(entry->status())) return failed;
    std::printf("%-12s %9zu entries %12zu bytes\n", std::string(index.name()).c_str(), entries, bytes);
  }
  const scree::RecoveryReport& recovery = store.engine().recovery_report();
  std::printf("complete up to commit %llu; %llu log records replayed at opening\n",
              static_cast<unsigned long long>(recovery.recovered_to),
              static_cast<unsigned long long>(recovery.records_replayed));
  return 0;
}

int answer(const Arguments& arguments) {
  std::unique_ptr<Store> store;
  const std::string directory = store_directory(arguments.data);
  if (Status status = Store::open(directory, /*create=*/false, &store); !status.is_ok()) return report(status);
  if (arguments.command == "show") return show(*store, arguments.name);
  if (arguments.command == "section") return list(*store, store->by_section(), arguments.name);
  if (arguments.command == "dependants") return list(*store, store->dependants(), arguments.name);
  return stats(*store);
}

}  // namespace
}  // namespace package_index

int main(int argc, char** argv) {
  using namespace package_index;
  const Arguments arguments = parse_arguments(argc, argv);
  if (arguments.command == "run") {
    return run({arguments.data, arguments.input, arguments.threads, arguments.rounds});
  }
  if (arguments.command == "work") return work_until_killed(arguments.data, arguments.threads, arguments.reports);
  return answer(arguments);
}
