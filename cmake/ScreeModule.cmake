# SPDX-License-Identifier: Apache-2.0
#
# scree_module(<name> [INTERFACE] HEADERS … [SOURCES …] [PUBLIC …] [PRIVATE …])
#   Defines target scree_<name> with alias scree::<name>. HEADERS are named relative to include/scree/ of the
#   module, SOURCES relative to the module. PUBLIC and PRIVATE are what it uses: `scree::x` (another module) or
#   `Package::target`, for which find_package(Package) is called here and by users of the installed package.
#   With INTERFACE the module is headers only.
# scree_test(<name> SOURCES … [LIBRARIES …] [LABELS label] [TIMEOUT seconds])
#   A GoogleTest program whose tests are registered one by one. RapidCheck is there for all of them.
# scree_compile_options(<target>)
#   Warnings, which are errors here. Private to this project's own targets.
# scree_install_package()
#   Installs one component per module. Call it after the last module.

include(CMakePackageConfigHelpers)

if(SCREE_SANITIZE)
  add_compile_options(-fsanitize=${SCREE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SCREE_SANITIZE})
endif()

function(scree_compile_options target)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                             -Wimplicit-fallthrough -Wextra-semi -Werror)
    # g++ 12 sees overlapping copies in std::string's operator+ (GCC bug 105651) and uninitialised insides of an
    # empty std::optional (GCC bug 80635).
    target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-maybe-uninitialized>")
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

function(scree_module name)
  cmake_parse_arguments(arg "INTERFACE" "" "HEADERS;SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target scree_${name})

  # One header name, one module: all of them share the <scree/…> include path of a user.
  foreach(header IN LISTS arg_HEADERS)
    get_property(owner GLOBAL PROPERTY SCREE_OWNER_OF_${header})
    if(owner)
      message(FATAL_ERROR "<scree/${header}> is in module ${owner}, so module ${name} cannot have one too")
    endif()
    set_property(GLOBAL PROPERTY SCREE_OWNER_OF_${header} ${name})
  endforeach()

  set(requires "")
  set(packages "")
  foreach(used IN LISTS arg_PUBLIC arg_PRIVATE)
    string(REGEX REPLACE "::.*" "" package "${used}")
    if(package STREQUAL "scree")
      string(REPLACE "scree::" "" module "${used}")
      list(APPEND requires ${module})
    else()
      find_package(${package} REQUIRED)
      list(APPEND packages ${package})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SCREE_MODULES ${name})
  set_property(GLOBAL PROPERTY SCREE_MODULE_${name}_REQUIRES "${requires}")
  set_property(GLOBAL PROPERTY SCREE_MODULE_${name}_PACKAGES "${packages}")
  list(TRANSFORM arg_HEADERS PREPEND include/scree/ OUTPUT_VARIABLE headers)
  set_property(GLOBAL PROPERTY SCREE_MODULE_${name}_HEADERS "${arg_HEADERS}")

  if(arg_INTERFACE)
    add_library(${target} INTERFACE)
    set(visibility INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_PUBLIC} ${arg_PRIVATE})
  else()
    add_library(${target} ${arg_SOURCES})
    set(visibility PUBLIC)
    target_include_directories(${target} PRIVATE src)
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    scree_compile_options(${target})
    set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  endif()
  add_library(scree::${name} ALIAS ${target})
  target_sources(${target} ${visibility} FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_compile_features(${target} ${visibility} cxx_std_20)
  target_compile_definitions(${target} ${visibility} $<$<BOOL:${SCREE_SYNC_POINTS}>:SCREE_SYNC_POINTS=1>
                                                     $<$<BOOL:${SCREE_CHECKED}>:SCREE_CHECKED=1>
                                                     $<$<BOOL:${SCREE_SMALL_CAPACITIES}>:SCREE_SMALL_CAPACITIES=1>)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  if(PROJECT_IS_TOP_LEVEL)
    install(TARGETS ${target} EXPORT scree-${name}-targets FILE_SET HEADERS COMPONENT ${name}
            ARCHIVE COMPONENT ${name} LIBRARY COMPONENT ${name} NAMELINK_COMPONENT ${name} RUNTIME COMPONENT ${name})
    install(EXPORT scree-${name}-targets NAMESPACE scree:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/scree
            COMPONENT ${name})
  endif()
endfunction()

function(scree_install_package)
  get_property(modules GLOBAL PROPERTY SCREE_MODULES)
  set(module_facts "")
  foreach(name IN LISTS modules)
    get_property(requires GLOBAL PROPERTY SCREE_MODULE_${name}_REQUIRES)
    get_property(packages GLOBAL PROPERTY SCREE_MODULE_${name}_PACKAGES)
    string(APPEND module_facts "set(_scree_${name}_requires \"${requires}\")\n")
    string(APPEND module_facts "set(_scree_${name}_packages \"${packages}\")\n")
  endforeach()
  set(destination ${CMAKE_INSTALL_LIBDIR}/cmake/scree)
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/scree-config.cmake.in"
                                "${PROJECT_BINARY_DIR}/scree-config.cmake" INSTALL_DESTINATION ${destination}
                                NO_CHECK_REQUIRED_COMPONENTS_MACRO NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/scree-config-version.cmake" COMPATIBILITY SameMinorVersion)
  # Whichever module is installed, and alone, these are needed: they belong to the one that stands on nothing.
  install(FILES "${PROJECT_BINARY_DIR}/scree-config.cmake" "${PROJECT_BINARY_DIR}/scree-config-version.cmake"
                "${PROJECT_SOURCE_DIR}/cmake/FindRocksDB.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake"
          DESTINATION ${destination} COMPONENT containers)
endfunction()

function(scree_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;LABELS" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gtest_main rapidcheck rapidcheck_gtest)
  scree_compile_options(${name})
  if(arg_LABELS STREQUAL "concurrency")
    add_dependencies(concurrency_tests ${name})
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT})
  if(arg_LABELS)
    list(APPEND properties LABELS ${arg_LABELS})
  endif()
  if(SCREE_SANITIZE STREQUAL "thread")
    list(APPEND properties ENVIRONMENT
         "TSAN_OPTIONS=halt_on_error=1 history_size=4 suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp")
  endif()
  # Discovered by ctest and not while building: tools/check decides how sanitized programs are started.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
