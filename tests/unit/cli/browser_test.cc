#include "cli/browser.h"

#include "support/catch.h"

namespace nbform::cli {

TEST_CASE("whose connection it is stands in the kernel's table") {
  // As Linux prints it: addresses in hexadecimal, the owner in the eighth column.
  constexpr const char* kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 71 1 0 100 "
      "0 0 10 0\n"
      "   1: 0100007F:A2B4 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 72 1 0 20 "
      "4 1 10 -1\n"
      "   2: 0100007F:1F90 0100007F:A2B4 01 00000000:00000000 00:00000000 00000000  1000        0 73 1 0 20 "
      "4 1 10 -1\n";
  CHECK(uid_of_connection(kTable, 0xA2B4, 0x1F90) == 1001);
  CHECK(uid_of_connection(kTable, 0x1F90, 0xA2B4) == 1000);
  CHECK(uid_of_connection(kTable, 0xA2B5, 0x1F90) == -1);
  CHECK(uid_of_connection("", 1, 2) == -1);
}

}  // namespace nbform::cli
