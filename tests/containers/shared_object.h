// SPDX-License-Identifier: Apache-2.0
//
// A shared object that a test opens, so that other objects do not see its symbols.

#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace scree::test {

// Never closed: garbage and coroutines may still need its code.
class SharedObject {
 public:
  explicit SharedObject(const char* path) : handle_(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    EXPECT_NE(handle_, nullptr) << ::dlerror();
  }

  template <class Function>
  Function* function(const char* name) const {
    auto* const found = reinterpret_cast<Function*>(::dlsym(handle_, name));
    EXPECT_NE(found, nullptr) << name;
    return found;
  }

 private:
  void* const handle_;
};

}  // namespace scree::test
