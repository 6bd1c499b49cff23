// SPDX-License-Identifier: Apache-2.0

#include <scree/file.h>

namespace scree {

Status read_file(FileSystem* file_system, const std::string& path, std::size_t limit, std::string* content) {
  std::unique_ptr<File> file;
  if (Status status = file_system->open(path, OpenMode::kRead, &file); !status.is_ok()) return status;
  std::uint64_t bytes = 0;
  if (Status status = file->size(&bytes); !status.is_ok()) return status;
  if (bytes > limit) {
    return Status::invalid_argument(path + ": " + std::to_string(bytes) + " bytes, more than the " +
                                    std::to_string(limit) + " expected at most");
  }
  content->resize(static_cast<std::size_t>(bytes));
  std::size_t count = 0;
  if (Status status = file->read_at(0, *content, &count); !status.is_ok()) return status;
  content->resize(count);
  return {};
}

Status replace_file(FileSystem* file_system, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  std::unique_ptr<File> file;
  if (Status status = file_system->open(temporary, OpenMode::kCreate, &file); !status.is_ok()) return status;
  if (Status status = file->truncate(0); !status.is_ok()) return status;
  if (Status status = file->append(content); !status.is_ok()) return status;
  if (Status status = file->sync(); !status.is_ok()) return status;
  file.reset();
  if (Status status = file_system->rename(temporary, path); !status.is_ok()) return status;
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return file_system->sync_directory(".");
  return file_system->sync_directory(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace scree
