# What the guest does for `vmsg linux-test`, for busybox's shell: a function per check, each run in a shell of its own.
# Before this text stand CARRIERS (a line per module: its file in /modules, its parameters), LEAVES (the modules to remove, in
# that order), IDS (the device ids that must be there) and CHECKS (the names, in order).
devices=/sys/bus/virtio/devices

say() { echo "check $check $*"; exit 0; }
ok() { say ok "$@"; }
failed() { say failed "$@"; }
none() { say none "$@"; }

# Folders of the devices in the order in which they were found, the same with an id, and the first of these with a driver.
all() { ls $devices 2>/dev/null | sed 's/virtio//' | sort -n | sed "s,^,$devices/virtio,"; }
of() { for one in $(all); do [ "$(cat $one/device)" = "$1" ] && echo $one; done; }
bound() { for one in $(of $1); do [ -e $one/driver ] && echo $one; done; }
# Waits up to $1 seconds for a command to succeed.
within() { left=$1; shift; until eval "$@"; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 1; done; }
ids() { for one in $(all); do cat $one/device; done | tr '\n' ' '; }
count() { all | wc -l; }
# Loads what is not loaded.
insert() {
  while read -r file parameters; do
    name=$(echo ${file%.ko} | tr - _)
    [ -z "$file" ] || [ -e /sys/module/$name ] || insmod /modules/$file $parameters || return 1
  done <<END
$CARRIERS
END
}

check_load() {
  [ -n "$CARRIERS" ] || none 'there is no module virtio_msg*: it must be built into this kernel'
  insert || failed "insmod $file $parameters: see the kernel's messages"
  ok
}

check_probe() {
  within 60 '[ "$(count)" = '$(echo $IDS | wc -w)' ]'
  [ "$(ids)" = "$IDS " ] || failed "found '$(ids)', not '$IDS'"
  ok "$IDS"
}

check_status() {
  without=
  for one in $(all); do
    if [ -e $one/driver ]; then
      [ "$(cat $one/status)" = 0x0000000f ] || failed "device id $(cat $one/device): status $(cat $one/status)"
    else
      without="$without $(cat $one/device)"
    fi
  done
  [ "$(for one in $(all); do [ -e $one/driver ] && echo; done | wc -l)" -gt 0 ] || failed 'no device has a driver'
  ok ${without:+"no driver in this kernel for device id$without"}
}

check_hwrng() {
  [ -n "$(bound 0x0004)" ] || none 'no driver for entropy devices'
  echo virtio_rng.0 >/sys/class/misc/hw_random/rng_current || failed 'virtio_rng.0 cannot be chosen'
  say bytes "$(dd if=/dev/hwrng bs=32 count=1 2>/dev/null | hexdump -v -e '1/1 "%02x"')"
}

check_block() {
  one=$(bound 0x0002)
  [ -n "$one" ] || none 'no driver for block devices'
  disk=/dev/$(ls $one/block)
  mke2fs -F $disk >/dev/null 2>&1 || failed "mke2fs $disk"
  dd if=/dev/urandom of=/tmp/data bs=1k count=64 2>/dev/null
  if mount -t ext4 $disk /mnt 2>/dev/null || mount -t ext2 $disk /mnt 2>/dev/null; then
    cp /tmp/data /mnt/data && umount /mnt || failed 'the file cannot be written'
    echo 3 >/proc/sys/vm/drop_caches
    mount -t ext4 $disk /mnt 2>/dev/null || mount -t ext2 $disk /mnt || failed 'what was written cannot be mounted again'
    cmp /tmp/data /mnt/data || failed 'the file is another one'
    umount /mnt
    ok 'ext2, a file of 64 KiB'
  fi
  dd if=/tmp/data of=$disk bs=1k seek=64 conv=fsync 2>/dev/null || failed 'the disk cannot be written'
  echo 3 >/proc/sys/vm/drop_caches
  dd if=$disk of=/tmp/back bs=1k skip=64 count=64 2>/dev/null
  cmp /tmp/data /tmp/back || failed 'other bytes came back'
  ok 'without a file system, which this kernel does not mount; 64 KiB'
}

check_console() {
  [ -n "$(bound 0x0003)" ] || none 'no driver for consoles'
  # Held open, since the last close brings the terminal's echo back: echo to echo would never end.
  exec 5<>/dev/hvc0
  stty raw -echo <&5
  printf 'hello, world' >&5
  back=$(timeout 20 dd bs=1 count=12 <&5 2>/dev/null)
  [ "$back" = 'hello, world' ] || failed "'$back' came back"
  ok
}

check_network() {
  set -- $(for one in $(bound 0x0001); do ls $one/net; done)
  [ $# = 2 ] || none 'no driver for network devices'
  unshare -n sleep 600 &
  other=$!
  sleep 1
  ip link set $2 netns $other || none 'this kernel has no network namespaces'
  ip addr add 10.9.0.1/24 dev $1
  ip link set $1 up
  nsenter -t $other -n ip addr add 10.9.0.2/24 dev $2
  nsenter -t $other -n ip link set $2 up
  answers=$(ping -c 5 -w 30 10.9.0.2 | grep -c 'bytes from')
  kill $other
  [ "$answers" = 5 ] || failed "$answers of 5 pings were answered"
  ok '5 of 5'
}

check_gpio() {
  one=$(bound 0x0029)
  [ -n "$one" ] || none 'no driver for GPIO'
  base=$(cat $one/gpio/gpiochip*/base 2>/dev/null)
  [ -n "$base" ] || none 'this kernel has no /sys/class/gpio'
  gpio=/sys/class/gpio
  # A line with a name has its folder under that name.
  echo $base >$gpio/export
  echo $((base + 1)) >$gpio/export
  line() { [ -e $gpio/gpio$1 ] && echo $gpio/gpio$1 || echo $gpio/$2; }
  out=$(line $base out)
  in=$(line $((base + 1)) in)
  echo in >$in/direction
  seen=
  for level in high low high; do
    echo $level >$out/direction
    seen="$seen$(cat $in/value)"
  done
  echo $base >$gpio/unexport
  echo $((base + 1)) >$gpio/unexport
  [ "$seen" = 101 ] || failed "the line read '$seen', not '101'"
  ok '1, 0, 1'
}

check_rebind() {
  one=$(bound 0x0002)
  [ -n "$one" ] || none 'no driver for block devices'
  disk=$(ls $one/block)
  driver=$(readlink -f $one/driver)
  echo $(basename $one) >$driver/unbind
  [ ! -e /dev/$disk ] || failed "$disk is still there"
  echo $(basename $one) >$driver/bind
  within 20 '[ -e /dev/$disk ]' || failed "$disk does not come back"
  dd if=/dev/$disk of=/dev/null 2>/dev/null || failed "$disk cannot be read"
  ok
}

check_reload() {
  [ -n "$LEAVES" ] || none 'there is no module virtio_msg*'
  for module in $LEAVES; do
    rmmod $module || failed "rmmod $module"
  done
  [ "$(count)" = 0 ] || failed "$(count) devices are still there"
  insert || failed "insmod $file $parameters"
  within 60 '[ "$(count)" = '$(echo $IDS | wc -w)' ]' || failed "$(count) devices came back"
  for one in $(all); do
    [ ! -e $one/driver ] || within 20 '[ "$(cat $one/status)" = 0x0000000f ]' || failed "device id $(cat $one/device): status $(cat $one/status)"
  done
  ok
}

# Commands of the app linux-test go through its second console.
order() {
  [ $(bound 0x0003 | wc -l) = 2 ] || none 'no driver for consoles'
  exec 5<>/dev/hvc1
  stty raw -echo <&5
  printf %s $1 >&5
}

check_remove() {
  before=$(count)
  order -
  within 30 '[ "$(count)" = '$((before - 1))' ]' || failed "$(count) devices, as before"
  ok "$(ids)"
}

check_add() {
  before=$(count)
  order +
  within 30 '[ "$(count)" = '$((before + 1))' ]' || failed "$(count) devices, as before"
  one=$(all | tail -n 1)
  [ ! -e $one/driver ] || within 20 '[ "$(cat $one/status)" = 0x0000000f ]' || failed "status $(cat $one/status)"
  ok "$(ids)"
}

check_needs_reset() {
  one=$(all | tail -n 1)
  order !
  within 20 '[ "$(cat $one/status)" = 0x0000004f ]' || failed "status $(cat $one/status)"
  ok
}

if [ $# = 1 ]; then
  check=$1
  check_$1
fi
for check in $CHECKS; do
  echo "begin $check"
  timeout -s KILL 150 sh /script $check || echo "check $check failed it did not end within 150 s"
done
