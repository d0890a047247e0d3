// Instruction sets of the build, weakest first. CMake generates this file from the list in CMakeLists.txt.
#pragma once

// Expands X(isa, ...) for each instruction set.
#define FASTLATENT_FOR_EACH_ISA(X, ...) @ISA_ENTRIES@

// CPU features that each instruction set needs: those that its engines are compiled with.
@ISA_CONDITIONS@
