# Functions of the checks inside the guest. A check is a command whose status is the verdict and whose last line of output is the detail.

# row NUMBER COMMAND...: runs a check and reports it.
row() {
  number=$1
  shift
  if detail=$("$@" 2>&1); then verdict=passed; else verdict=failed; fi
  echo "@row $number $verdict $(echo "$detail" | tail -n 1)"
}

# host WORD...: has the host do something, and waits until it is done.
host() {
  echo "@host $*" >/dev/ttyS1
  read -r answer </dev/ttyS1
}

# The virtio device in a PCI slot such as 03, as sysfs shows it.
place() {
  echo /sys/bus/pci/devices/0000:00:$1.0/virtio*
}

# bound SLOT DRIVER
bound() {
  driver=$(basename "$(readlink "$(place $1)/driver")")
  status=$(cat "$(place $1)/status")
  echo "$driver, status $status"
  [ "$driver" = "$2" ] && [ $((status)) -eq 15 ]
}

# features SLOT [+BIT | -BIT]...: which bits were negotiated; +BIT must be among them, -BIT must not.
features() {
  bits=$(cat "$(place $1)/features")
  shift
  echo "$(echo "$bits" | fold -w 1 | awk '$1 == 1 { printf "%s%d", between, NR - 1; between = " " }')"
  for wanted in "$@"; do
    [ "$(echo "$bits" | cut -c $((${wanted#?} + 1)))" = "$(echo "$wanted" | sed 's/^+.*/1/; s/^-.*/0/')" ] || return 1
  done
}

# rng_use INDEX: the kernel's random numbers come from this device from now on.
rng_use() {
  echo virtio_rng.$1 >/sys/class/misc/hw_random/rng_current
  [ "$(cat /sys/class/misc/hw_random/rng_current)" = virtio_rng.$1 ]
}

# rng_bytes INDEX BLOCKS: so many blocks of 64 bytes.
rng_bytes() {
  rng_use $1 && dd if=/dev/hwrng bs=64 count=$2 iflag=fullblock 2>/dev/null | xxd -p | tr -d '\n'
}

rng_traffic() {
  until [ -e /tmp/stop ]; do dd if=/dev/hwrng of=/dev/null bs=64 count=16 2>/dev/null; done
}

# rng_rebind INDEX SLOT: the driver goes and comes back while somebody reads.
rng_rebind() {
  rm -f /tmp/stop
  rng_use $1 || return 1
  rng_traffic &
  for turn in 1 2 3; do
    name=$(basename "$(place $2)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_rng/unbind || return 1
    echo "$name" >/sys/bus/virtio/drivers/virtio_rng/bind || return 1
    rng_use $1 || return 1
  done
  touch /tmp/stop
  wait
  rng_bytes $1 16
}

# The disk in a PCI slot, as /dev has it.
disk() {
  basename "$(place $1)"/block/*
}

# identity SLOT SECTORS SERIAL QUEUES
identity() {
  sys=/sys/block/$(disk $1)
  found="$(cat $sys/size) sectors, serial $(cat $sys/serial), $(ls $sys/mq | wc -l) queues"
  echo "$found, blocks of $(cat $sys/queue/logical_block_size), $(cat $sys/queue/write_cache)"
  [ "$found" = "$2 sectors, serial $3, $4 queues" ]
}

# statistic SLOT FIELD: a number of the disk's statistics (Documentation/block/stat.rst).
statistic() {
  awk "{ print \$$2 }" /sys/block/$(disk $1)/stat
}

# flushes SLOT: data written and made stable; the flush must have been a request.
flushes() {
  before=$(statistic $1 16)
  dd if=/dev/urandom of=/tmp/data bs=4096 count=16 2>/dev/null
  dd if=/tmp/data of=/dev/$(disk $1) bs=4096 conv=fsync 2>/dev/null || return 1
  dd if=/dev/$(disk $1) bs=4096 count=16 iflag=direct 2>/dev/null | cmp - /tmp/data || return 1
  echo "$(($(statistic $1 16) - before)) flush requests"
  [ "$(statistic $1 16)" -gt "$before" ]
}

# ranges SLOT discard|zero FIELD: FIELD counts such requests, or is 0.
ranges() {
  before=0
  [ $3 -eq 0 ] || before=$(statistic $1 $3)
  guest-tool $2 /dev/$(disk $1) || return 1
  [ $3 -eq 0 ] || [ "$(statistic $1 $3)" -gt "$before" ]
}

# file_system SLOT
file_system() {
  device=/dev/$(disk $1)
  mke2fs -F $device >/dev/null 2>&1 && mount -t ext4 $device /mnt || return 1
  for file in $(seq 1 40); do dd if=/dev/urandom of=/mnt/$file bs=5003 count=$file 2>/dev/null || return 1; done
  (cd /mnt && md5sum [0-9]* >/tmp/sums) && umount /mnt && mount -t ext4 $device /mnt || return 1
  (cd /mnt && md5sum -c -s /tmp/sums) || return 1
  umount /mnt && e2fsck -f -n $device >/tmp/e2fsck 2>&1 || { tail -n 1 /tmp/e2fsck; return 1; }
  echo "ext2: 40 files, 4,102,460 bytes, checksums after a second mount; e2fsck finds nothing"
}

# disk_rebind SLOT: the driver goes and comes back while data is moved; what was moved then may fail, and nothing afterwards.
disk_rebind() {
  for turn in 1 2 3; do
    rm -f /tmp/stop
    guest-tool traffic /dev/$(disk $1) /tmp/stop >/tmp/traffic &
    usleep 300000
    name=$(basename "$(place $1)")
    echo "$name" >/sys/bus/virtio/drivers/virtio_blk/unbind || return 1
    touch /tmp/stop
    wait
    echo "$name" >/sys/bus/virtio/drivers/virtio_blk/bind || return 1
  done
  traffic=$(tail -n 1 /tmp/traffic)
  guest-tool random /dev/$(disk $1) 5 20 || return 1
  echo "three times; the last time $traffic; afterwards everything reads as it was written"
}

# disk_restart SLOT NAME: the device's process is killed and started anew while data is moved; no transfer may fail.
disk_restart() {
  rm -f /tmp/stop
  guest-tool traffic /dev/$(disk $1) /tmp/stop >/tmp/traffic &
  usleep 300000
  host restart "$2"
  usleep 300000
  touch /tmp/stop
  wait
  traffic=$(tail -n 1 /tmp/traffic)
  echo "$traffic" | grep -q 'none failed' || { echo "$traffic"; return 1; }
  guest-tool random /dev/$(disk $1) 6 20 || return 1
  echo "$traffic; afterwards everything reads as it was written"
}

# random_transfers SLOT SEED COUNT and move SLOT MEBIBYTES: see guest-tool.c
random_transfers() {
  guest-tool random /dev/$(disk $1) $2 $3
}

move() {
  guest-tool move /dev/$(disk $1) $2
}
