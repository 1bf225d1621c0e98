// Starts the device's core, rings it 1001 times and waits for each answer; logs 20 after the first and 21 after the last.
// The test defines VECTORS: bits 31..16 of core 1's vector table, 0 where nothing sets it.
(function () {
  var idle = native.idle, read = native.registerRead, write = native.registerWrite, log = native.log;
  var bytes = new Uint8Array(native.memory(0));
  var rounds = 0;
  function ring() {
    write(0, 0x14, 1, 0);
    while (true) {
      if (idle(1000000) === 0) {
        native.print('no answer to doorbell ' + rounds);
        native.exit(9);
      }
      var bits = read(0, 0x00);
      if (bits !== 0) {
        write(0, 0x08, bits, 0);
        return;
      }
    }
  }
  bytes[64] = 0;
  if (VECTORS !== 0) {
    write(1, 0x114, 0, VECTORS);
  }
  write(1, 0x118, 0, 0);
  for (rounds = 0; rounds < 1001; rounds++) {
    ring();
    if (rounds === 0) {
      log(20, rounds);
    }
  }
  log(21, rounds);
  // The device logs its last line before it sleeps for good.
  idle(1000);
  native.print('counted ' + bytes[64]);
  native.exit(bytes[64] === (1001 & 255) ? 0 : 8);
})();
