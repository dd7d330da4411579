// SPDX-License-Identifier: MIT OR GPL-2.0
// A disk that fails on command, and counts the flushes that reach it: what blkback serves.
//
// Module parameters: disks; megabytes of each; over, the devices that the first disks lie on
// ("/dev/drbd0", "/dev/vdb"), where the others are memory. In /sys/block/sickN/:
//   flush     ok | refused | error | stalled: how a flush is answered; writing it sets both counters
//             to 0
//   flushes   flushes that arrived, and those of them that were not answered with ok
//   data      ok | stalled | error | write-error: what becomes of all else, and of flushes too but
//             by write-error; what was stalled goes on with the next word
// It takes bios as they come, without device-mapper or request queue in between, so that a barrier
// that carries data fails as a whole. Never reorders, never loses a write. Written for Linux 6.1.

#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define MOST 128

static unsigned int disks = 1;
module_param(disks, uint, 0444);
static unsigned int megabytes = 8;
module_param(megabytes, uint, 0444);
static char *over[MOST];
static unsigned int overs;
module_param_array(over, charp, &overs, 0444);

enum fault { OK, STALLED, ERROR, WRITE_ERROR };

struct sick {
	struct gendisk *disk;
	struct block_device *lower;
	u8 *memory;
	blk_status_t answer;
	atomic64_t flushes, refused;
	spinlock_t lock;
	enum fault fault;
	struct bio_list stalled;
};

static struct sick all[MOST];

/* No answer at all; nothing else gives this one. */
#define STALLED_FLUSH BLK_STS_AGAIN

static const struct { const char *name; blk_status_t status; } answers[] = {
	{ "ok", BLK_STS_OK }, { "refused", BLK_STS_NOTSUPP }, { "error", BLK_STS_IOERR },
	{ "stalled", STALLED_FLUSH },
};
static const char *const faults[] = { "ok", "stalled", "error", "write-error" };

static void sick_copy(struct sick *sick, struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec bvec;

	bio_for_each_segment(bvec, bio, iter) {
		u8 *at = sick->memory + (iter.bi_sector << SECTOR_SHIFT);
		void *page = bvec_kmap_local(&bvec);

		if (op_is_write(bio_op(bio)))
			memcpy(at, page, bvec.bv_len);
		else
			memcpy(page, at, bvec.bv_len);
		kunmap_local(page);
	}
	bio_endio(bio);
}

static bool sick_keep(struct sick *sick, struct bio *bio)
{
	unsigned long flags;
	bool is_stalled;

	spin_lock_irqsave(&sick->lock, flags);
	is_stalled = sick->fault == STALLED ||
		     (sick->answer == STALLED_FLUSH && bio->bi_opf & REQ_PREFLUSH);
	if (is_stalled)
		bio_list_add(&sick->stalled, bio);
	spin_unlock_irqrestore(&sick->lock, flags);
	return is_stalled;
}

static void sick_fail(struct bio *bio, blk_status_t status)
{
	bio->bi_status = status;
	bio_endio(bio);
}

static void sick_submit_bio(struct bio *bio)
{
	struct sick *sick = bio->bi_bdev->bd_disk->private_data;
	bool is_flush = bio->bi_opf & REQ_PREFLUSH;

	if (sick_keep(sick, bio))
		return;
	if (sick->fault == ERROR ||
	    (sick->fault == WRITE_ERROR && op_is_write(bio_op(bio)) && bio_sectors(bio)))
		return sick_fail(bio, BLK_STS_IOERR);
	if (is_flush) {
		atomic64_inc(&sick->flushes);
		if (sick->answer != BLK_STS_OK) {
			atomic64_inc(&sick->refused);
			return sick_fail(bio, sick->answer);
		}
	}
	if (!sick->lower)
		return sick_copy(sick, bio);
	bio_set_dev(bio, sick->lower);
	submit_bio_noacct(bio);
}

static void sick_go_on(struct sick *sick)
{
	struct bio_list waiting;
	struct bio *bio;

	spin_lock_irq(&sick->lock);
	waiting = sick->stalled;
	bio_list_init(&sick->stalled);
	spin_unlock_irq(&sick->lock);
	while ((bio = bio_list_pop(&waiting)))
		sick_submit_bio(bio);
}

static struct sick *sick_of(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t flush_show(struct device *dev, struct device_attribute *attr, char *text)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].status == sick_of(dev)->answer)
			return sysfs_emit(text, "%s\n", answers[i].name);
	return -EINVAL;
}

static ssize_t flush_store(struct device *dev, struct device_attribute *attr, const char *text,
			   size_t count)
{
	struct sick *sick = sick_of(dev);
	int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (!sysfs_streq(text, answers[i].name))
			continue;
		sick->answer = answers[i].status;
		atomic64_set(&sick->flushes, 0);
		atomic64_set(&sick->refused, 0);
		sick_go_on(sick);
		return count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_RW(flush);

static ssize_t data_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%s\n", faults[sick_of(dev)->fault]);
}

static ssize_t data_store(struct device *dev, struct device_attribute *attr, const char *text,
			  size_t count)
{
	struct sick *sick = sick_of(dev);
	int fault = sysfs_match_string(faults, text);

	if (fault < 0)
		return fault;
	spin_lock_irq(&sick->lock);
	sick->fault = fault;
	spin_unlock_irq(&sick->lock);
	sick_go_on(sick);
	return count;
}
static DEVICE_ATTR_RW(data);

static ssize_t flushes_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct sick *sick = sick_of(dev);

	return sysfs_emit(text, "%lld %lld\n", atomic64_read(&sick->flushes),
			  atomic64_read(&sick->refused));
}
static DEVICE_ATTR_RO(flushes);

static struct attribute *sick_attrs[] = {
	&dev_attr_flush.attr, &dev_attr_data.attr, &dev_attr_flushes.attr, NULL
};
ATTRIBUTE_GROUPS(sick);

static const struct block_device_operations operations = {
	.owner = THIS_MODULE,
	.submit_bio = sick_submit_bio,
};

#define MODE (FMODE_READ | FMODE_WRITE | FMODE_EXCL)

static void sick_remove(struct sick *sick)
{
	if (sick->disk) {
		del_gendisk(sick->disk);
		put_disk(sick->disk);
	}
	if (sick->lower)
		blkdev_put(sick->lower, MODE);
	vfree(sick->memory);
}

static int sick_take_storage(struct sick *sick, unsigned int number)
{
	if (number < overs) {
		struct block_device *lower = blkdev_get_by_path(over[number], MODE, sick);

		if (IS_ERR(lower))
			return PTR_ERR(lower);
		sick->lower = lower;
		set_capacity(sick->disk, bdev_nr_sectors(lower));
		return 0;
	}
	sick->memory = vzalloc((size_t)megabytes << 20);
	if (!sick->memory)
		return -ENOMEM;
	set_capacity(sick->disk, (sector_t)megabytes << (20 - SECTOR_SHIFT));
	return 0;
}

static int sick_add(struct sick *sick, unsigned int number)
{
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);
	int error;

	if (!disk)
		return -ENOMEM;
	disk->fops = &operations;
	disk->private_data = sick;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "sick%u", number);
	spin_lock_init(&sick->lock);
	bio_list_init(&sick->stalled);
	sick->disk = disk;
	error = sick_take_storage(sick, number);
	if (!error) {
		blk_queue_write_cache(disk->queue, true, true);
		error = device_add_disk(NULL, disk, sick_groups);
	}
	if (error) {
		sick->disk = NULL;
		put_disk(disk);
		sick_remove(sick);
	}
	return error;
}

static void sick_exit(void)
{
	unsigned int i;

	for (i = 0; i < MOST; i++)
		sick_remove(&all[i]);
}

static int __init sick_init(void)
{
	unsigned int i;
	int error;

	if (disks > MOST)
		return -EINVAL;
	for (i = 0; i < disks; i++) {
		error = sick_add(&all[i], i);
		if (!error)
			continue;
		all[i] = (struct sick){ };
		sick_exit();
		return error;
	}
	return 0;
}

module_init(sick_init);
module_exit(sick_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Disks that fail on command");
