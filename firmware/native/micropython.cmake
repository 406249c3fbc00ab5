# `_nnmicro` in a firmware whose port builds with CMake: USER_C_MODULES=<this file>.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/sources.mk NNMICRO_LISTS REGEX "^NN_SOURCES")
set(NNMICRO_KERNELS)
foreach(LIST ${NNMICRO_LISTS})
    string(REGEX REPLACE "^.*= " "" LIST ${LIST})
    string(REPLACE " " ";" LIST ${LIST})
    foreach(SOURCE ${LIST})
        list(APPEND NNMICRO_KERNELS ${CMAKE_CURRENT_LIST_DIR}/${SOURCE})
    endforeach()
endforeach()

add_library(usermod_nnmicro INTERFACE)
target_sources(usermod_nnmicro INTERFACE ${CMAKE_CURRENT_LIST_DIR}/module.c ${CMAKE_CURRENT_LIST_DIR}/static_arena.c ${NNMICRO_KERNELS})
target_include_directories(usermod_nnmicro INTERFACE ${CMAKE_CURRENT_LIST_DIR})
# A firmware is built for size; the kernels are where its time goes.
set_source_files_properties(${NNMICRO_KERNELS} PROPERTIES COMPILE_OPTIONS "-O2")
target_link_libraries(usermod INTERFACE usermod_nnmicro)
