#pragma once

// A part of a plan as a program (txn/program.h), and back: a scan, filters and projections above it, and a partial
// aggregate above those. Format: docs/formats/programs.md.
//
//   PANDO_CO_ASSIGN(const PhysicalPtr bound, co_await bind_values(gather.input, runtime));
//   PANDO_CO_ASSIGN(const Bytes program, encode_program({bound, rows_max}));
//   PANDO_ASSIGN(const Program program, decode_program(bytes));               // on the other node

#include "sql/exec/runtime.h"

namespace pando::sql::exec {

struct Program {
  PhysicalPtr plan;
  // So many rows are enough.
  uint64_t rows_max = UINT64_MAX;
};

// The plan with every expression that names no column replaced by its value: parameters, the time, settings.
Task<Result<PhysicalPtr>> bind_values(PhysicalPtr plan, Runtime& runtime);

// The scan that it begins with. REQUIRES: as of encode_program.
const ScanPlan& scan_of(const PhysicalPtr& plan);

// REQUIRES: bound values; a part that sql/optimize/distribute.h moves. Errors: 0A000 for what has no form.
Result<Bytes> encode_program(const Program& program);
// Errors: txn::kUnknownProgram for bytes that this version does not write.
Result<Program> decode_program(ByteView bytes);

// Rows as a part of a program's output, and back from the front of it.
void append_rows(const types::Chunk& rows, Bytes& output);
// False at the end.
Result<bool> take_rows(ByteView& output, types::Chunk& rows);

}  // namespace pando::sql::exec
