// Starts the device's core, rings it 1001 times and waits for each answer; logs 20 after the first and 21 after the last.
// The test defines `ring` and `take` as for ping-device.js, and `release`, which starts the device's core.
(function () {
  var idle = native.idle, log = native.log;
  var bytes = new Uint8Array(native.memory(0));
  var rounds = 0;
  function ask() {
    ring();
    while (true) {
      if (idle(1000000) === 0) {
        native.print('no answer to doorbell ' + rounds);
        native.exit(9);
      }
      if (take() !== 0) {
        return;
      }
    }
  }
  bytes[64] = 0;
  release();
  for (rounds = 0; rounds < 1001; rounds++) {
    ask();
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
