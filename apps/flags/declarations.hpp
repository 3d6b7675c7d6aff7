// The commands of the program and their flags, each declared once, for every command that has it.
//
// One table: the parser, the environment, --help, docs/cli.md, the manual, completions and --dump-flags read it. A new
// flag is a line in one of the functions of declarations.cpp; a new command is a function there, a line in the table at
// its end, its options in CommandLine and a case in main.cpp. Behind either, `scripts/refresh docs/cli.md`.
// A flag that decides the result of a training also belongs to the job that a checkpoint is of (job() in
// apps/job/checkpointing.cpp), else a run would go on from another one's, and to effective() in apps/report/result.cpp.
// Order and thread-safety: pure functions. Errors: none.
#pragma once

#include <span>

#include "apps/flags/command_line.hpp"
#include "apps/flags/flags.hpp"

namespace sluice::apps {

struct Declaration {
  CommandLine::Command command;
  const char *name, *does;
  void (*declare)(Flags&, CommandLine&);  // the values go into the line
};

std::span<const Declaration> declarations();

void declare_program(Flags& program, const Surroundings& surroundings);

}  // namespace sluice::apps
