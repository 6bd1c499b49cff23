// SPDX-License-Identifier: Apache-2.0
//
// Texts for people: names of variables and places, and the lines of a trace.

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "engine.h"

namespace scree::model {
namespace {

const char* base_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

std::string hex(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

// file:line of a return address, by addr2line where it is installed: of the innermost function that is not the model's
// own.
std::string source_of(const void* address) {
  Dl_info info{};
  if (address == nullptr || ::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return {};
  const auto offset = static_cast<const char*>(address) - static_cast<const char*>(info.dli_fbase) - 1;
  const std::string command = "addr2line -i -e '" + std::string(info.dli_fname) + "' " +
                              hex(static_cast<std::uint64_t>(offset)) + " 2>/dev/null";
  std::string text;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char line[1024];
    bool found = false;
    while (std::fgets(line, sizeof line, pipe) != nullptr) {
      if (found || line[0] == '?') continue;
      text = base_name(line);
      text = text.substr(0, text.find_first_of(" \n"));
      found = std::strstr(line, "/scree_model/") == nullptr && std::strstr(line, "/c++/") == nullptr;
    }
    ::pclose(pipe);
  }
  return text;
}

}  // namespace

std::string Engine::to_text(const Bits& bits, std::uint8_t size) {
  if (size > sizeof bits.low) return '{' + hex(bits.low) + ", " + hex(bits.high) + '}';
  constexpr std::uint64_t kLargestDecimal = 1u << 20;
  if (bits.low < kLargestDecimal) return std::to_string(bits.low);
  return hex(bits.low);
}

std::string Engine::text_of(const Place& place) const {
  if (place.site.file != nullptr)
    return std::string(base_name(place.site.file)) + ':' + std::to_string(place.site.line);
  if (place.caller == nullptr) return "an unknown place";
  // Asking a program of the system takes time, so only the execution that is shown does it.
  const std::string source = tracing_ ? source_of(place.caller) : std::string();
  return source.empty() ? hex(reinterpret_cast<std::uintptr_t>(place.caller)) : source;
}

std::string Engine::name_of(const Variable& v) const {
  if (v.name != nullptr) return v.name;
  const char* kind = v.kind == Variable::Kind::kAtomic  ? "atomic"
                     : v.kind == Variable::Kind::kPlain ? "plain"
                                                        : "mutex";
  std::string text = std::string(kind) + " #" + std::to_string(v.number);
  if (tracing_ && v.first.site.file != nullptr) text += " (" + text_of(v.first) + ')';
  return text;
}

// What a load read, where that is not the latest write.
std::string Engine::describe_write(const Variable& v, std::uint32_t position) const {
  const Write& write = v.writes[position];
  std::string text = position == 0 ? ", the first value"
                                   : ", of T" + std::to_string(write.thread) + " at step " + std::to_string(write.step);
  if (const std::size_t newer = v.writes.size() - 1 - position; newer != 0) {
    text += ", stale: " + std::to_string(newer) + " newer";
  }
  return text;
}

void Engine::trace(int thread, const char* what, const Variable* v, const Place& place, const std::string& rest) {
  char head[64];
  std::snprintf(head, sizeof head, "%5u  T%d  %-18s ", steps_, thread, what);
  trace_ += head;
  if (v != nullptr) trace_ += name_of(*v) + ' ';
  trace_ += rest;
  if (place.site.file != nullptr || place.caller != nullptr) trace_ += "  [" + text_of(place) + ']';
  trace_ += '\n';
}

bool Engine::planted(const char* name) { return planting_.switched_on(name); }

void Engine::sync_point(const char* name) {
  if (tracing_) trace(current_->id, "--", nullptr, {}, name);
}

void Engine::label(const void* address, const char* name) {
  if (Variable* v = variables_.find(address)) v->name = name;
}

}  // namespace scree::model
