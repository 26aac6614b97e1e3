#pragma once

// The five-character error codes of the SQL standard and PostgreSQL (PostgreSQL 15 documentation, appendix A).
// Every Status carries one, from the storage engine to the client.

#include <array>
#include <string_view>

namespace pando {

class SqlState {
 public:
  constexpr SqlState() = default;
  // REQUIRES: code has exactly five characters, each a digit or an upper-case letter.
  constexpr explicit SqlState(std::string_view code) {
    for (std::size_t i = 0; i < kLength && i < code.size(); ++i) {
      characters_[i] = code[i];
    }
  }

  constexpr std::string_view view() const { return {characters_.data(), kLength}; }
  // The class: the first two characters.
  constexpr std::string_view error_class() const { return view().substr(0, 2); }
  friend constexpr bool operator==(const SqlState&, const SqlState&) = default;

 private:
  static constexpr std::size_t kLength = 5;
  std::array<char, kLength> characters_{'0', '0', '0', '0', '0'};
};

namespace sql_state {

inline constexpr SqlState kSuccess{"00000"};
inline constexpr SqlState kWarning{"01000"};
inline constexpr SqlState kNullValueEliminated{"01003"};
inline constexpr SqlState kNoData{"02000"};
inline constexpr SqlState kConnectionFailure{"08006"};
inline constexpr SqlState kProtocolViolation{"08P01"};
inline constexpr SqlState kFeatureNotSupported{"0A000"};
inline constexpr SqlState kCardinalityViolation{"21000"};
inline constexpr SqlState kDataException{"22000"};
inline constexpr SqlState kStringDataRightTruncation{"22001"};
inline constexpr SqlState kNumericValueOutOfRange{"22003"};
inline constexpr SqlState kNullValueNotAllowed{"22004"};
inline constexpr SqlState kInvalidDatetimeFormat{"22007"};
inline constexpr SqlState kDatetimeFieldOverflow{"22008"};
inline constexpr SqlState kInvalidTimeZoneDisplacement{"22009"};
inline constexpr SqlState kSubstringError{"22011"};
inline constexpr SqlState kDivisionByZero{"22012"};
inline constexpr SqlState kIntervalFieldOverflow{"22015"};
inline constexpr SqlState kInvalidArgumentForLogarithm{"2201E"};
inline constexpr SqlState kInvalidArgumentForPower{"2201F"};
inline constexpr SqlState kInvalidArgumentForWidthBucket{"2201G"};
inline constexpr SqlState kInvalidRowCountInLimit{"2201W"};
inline constexpr SqlState kInvalidRowCountInOffset{"2201X"};
inline constexpr SqlState kInvalidEscapeSequence{"22025"};
inline constexpr SqlState kInvalidEscapeCharacter{"22019"};
inline constexpr SqlState kInvalidParameterValue{"22023"};
inline constexpr SqlState kCharacterNotInRepertoire{"22021"};
inline constexpr SqlState kInvalidRegularExpression{"2201B"};
inline constexpr SqlState kStringDataLengthMismatch{"22026"};
inline constexpr SqlState kArraySubscriptError{"2202E"};
inline constexpr SqlState kInvalidTextRepresentation{"22P02"};
inline constexpr SqlState kInvalidBinaryRepresentation{"22P03"};
inline constexpr SqlState kBadCopyFileFormat{"22P04"};
inline constexpr SqlState kUntranslatableCharacter{"22P05"};
inline constexpr SqlState kDuplicateJsonObjectKey{"22030"};
inline constexpr SqlState kInvalidJsonText{"22032"};
inline constexpr SqlState kInvalidSqlJsonSubscript{"22033"};
inline constexpr SqlState kIntegrityConstraintViolation{"23000"};
inline constexpr SqlState kRestrictViolation{"23001"};
inline constexpr SqlState kNotNullViolation{"23502"};
inline constexpr SqlState kForeignKeyViolation{"23503"};
inline constexpr SqlState kUniqueViolation{"23505"};
inline constexpr SqlState kCheckViolation{"23514"};
inline constexpr SqlState kInvalidCursorState{"24000"};
inline constexpr SqlState kInvalidTransactionState{"25000"};
inline constexpr SqlState kActiveSqlTransaction{"25001"};
inline constexpr SqlState kReadOnlySqlTransaction{"25006"};
inline constexpr SqlState kNoActiveSqlTransaction{"25P01"};
inline constexpr SqlState kInFailedSqlTransaction{"25P02"};
inline constexpr SqlState kIdleInTransactionSessionTimeout{"25P03"};
inline constexpr SqlState kIdleSessionTimeout{"57P05"};
inline constexpr SqlState kInvalidSqlStatementName{"26000"};
inline constexpr SqlState kDependentObjectsStillExist{"2BP01"};
inline constexpr SqlState kInvalidAuthorizationSpecification{"28000"};
inline constexpr SqlState kInvalidPassword{"28P01"};
inline constexpr SqlState kInvalidTransactionTermination{"2D000"};
inline constexpr SqlState kInvalidCursorName{"34000"};
inline constexpr SqlState kInvalidSavepointSpecification{"3B001"};
inline constexpr SqlState kInvalidCatalogName{"3D000"};
inline constexpr SqlState kInvalidSchemaName{"3F000"};
inline constexpr SqlState kSerializationFailure{"40001"};
inline constexpr SqlState kStatementCompletionUnknown{"40003"};
inline constexpr SqlState kDeadlockDetected{"40P01"};
inline constexpr SqlState kSyntaxErrorOrAccessRuleViolation{"42000"};
inline constexpr SqlState kInsufficientPrivilege{"42501"};
inline constexpr SqlState kSyntaxError{"42601"};
inline constexpr SqlState kInvalidName{"42602"};
inline constexpr SqlState kInvalidColumnDefinition{"42611"};
inline constexpr SqlState kNameTooLong{"42622"};
inline constexpr SqlState kDuplicateColumn{"42701"};
inline constexpr SqlState kAmbiguousColumn{"42702"};
inline constexpr SqlState kUndefinedColumn{"42703"};
inline constexpr SqlState kUndefinedObject{"42704"};
inline constexpr SqlState kDuplicateObject{"42710"};
inline constexpr SqlState kDuplicateAlias{"42712"};
inline constexpr SqlState kDuplicateFunction{"42723"};
inline constexpr SqlState kAmbiguousFunction{"42725"};
inline constexpr SqlState kGroupingError{"42803"};
inline constexpr SqlState kDatatypeMismatch{"42804"};
inline constexpr SqlState kWrongObjectType{"42809"};
inline constexpr SqlState kInvalidForeignKey{"42830"};
inline constexpr SqlState kCannotCoerce{"42846"};
inline constexpr SqlState kUndefinedFunction{"42883"};
inline constexpr SqlState kReservedName{"42939"};
inline constexpr SqlState kUndefinedTable{"42P01"};
inline constexpr SqlState kUndefinedParameter{"42P02"};
inline constexpr SqlState kDuplicateCursor{"42P03"};
inline constexpr SqlState kDuplicateDatabase{"42P04"};
inline constexpr SqlState kDuplicatePreparedStatement{"42P05"};
inline constexpr SqlState kDuplicateSchema{"42P06"};
inline constexpr SqlState kDuplicateTable{"42P07"};
inline constexpr SqlState kAmbiguousParameter{"42P08"};
inline constexpr SqlState kInvalidColumnReference{"42P10"};
inline constexpr SqlState kInvalidObjectDefinition{"42P17"};
inline constexpr SqlState kInvalidTableDefinition{"42P16"};
inline constexpr SqlState kIndeterminateDatatype{"42P18"};
inline constexpr SqlState kInvalidRecursion{"42P19"};
inline constexpr SqlState kWindowingError{"42P20"};
inline constexpr SqlState kCollationMismatch{"42P21"};
inline constexpr SqlState kIndeterminateCollation{"42P22"};
inline constexpr SqlState kGeneratedAlways{"428C9"};
inline constexpr SqlState kWithCheckOptionViolation{"44000"};
inline constexpr SqlState kInsufficientResources{"53000"};
inline constexpr SqlState kDiskFull{"53100"};
inline constexpr SqlState kOutOfMemory{"53200"};
inline constexpr SqlState kTooManyConnections{"53300"};
inline constexpr SqlState kConfigurationLimitExceeded{"53400"};
inline constexpr SqlState kProgramLimitExceeded{"54000"};
inline constexpr SqlState kStatementTooComplex{"54001"};
inline constexpr SqlState kTooManyColumns{"54011"};
inline constexpr SqlState kTooManyArguments{"54023"};
inline constexpr SqlState kObjectNotInPrerequisiteState{"55000"};
inline constexpr SqlState kObjectInUse{"55006"};
inline constexpr SqlState kCantChangeRuntimeParam{"55P02"};
inline constexpr SqlState kLockNotAvailable{"55P03"};
inline constexpr SqlState kOperatorIntervention{"57000"};
inline constexpr SqlState kQueryCanceled{"57014"};
inline constexpr SqlState kAdminShutdown{"57P01"};
inline constexpr SqlState kCrashShutdown{"57P02"};
inline constexpr SqlState kCannotConnectNow{"57P03"};
inline constexpr SqlState kSystemError{"58000"};
inline constexpr SqlState kIoError{"58030"};
inline constexpr SqlState kUndefinedFile{"58P01"};
inline constexpr SqlState kConfigFileError{"F0000"};
inline constexpr SqlState kLockFileExists{"F0001"};
inline constexpr SqlState kInternalError{"XX000"};
inline constexpr SqlState kDataCorrupted{"XX001"};
inline constexpr SqlState kIndexCorrupted{"XX002"};

}  // namespace sql_state
}  // namespace pando
