// SPDX-License-Identifier: MIT OR GPL-2.0
// A disk in memory whose flushes can be refused on command, and are counted: what blkback serves.
//
// Module parameters: disks, megabytes (of each). For each disk, in /sys/block/sickN/:
//   flush     ok | refused | error: how a flush is answered; writing it sets both counters to 0
//   flushes   flushes that arrived, and those of them that were not answered with ok
// It takes bios as they come, without device-mapper or request queue in between, so that a barrier
// that carries data fails as a whole. Never reorders, never loses a write. Written for Linux 6.1.

#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

static unsigned int disks = 1;
module_param(disks, uint, 0444);
static unsigned int megabytes = 8;
module_param(megabytes, uint, 0444);

struct sick {
	struct gendisk *disk;
	u8 *memory;
	blk_status_t answer;
	atomic64_t flushes, refused;
};

static struct sick *all;

static const struct { const char *name; blk_status_t status; } answers[] = {
	{ "ok", BLK_STS_OK }, { "refused", BLK_STS_NOTSUPP }, { "error", BLK_STS_IOERR },
};

static void sick_submit_bio(struct bio *bio)
{
	struct sick *sick = bio->bi_bdev->bd_disk->private_data;
	struct bvec_iter iter;
	struct bio_vec bvec;

	if (bio->bi_opf & REQ_PREFLUSH) {
		atomic64_inc(&sick->flushes);
		if (sick->answer != BLK_STS_OK) {
			atomic64_inc(&sick->refused);
			bio->bi_status = sick->answer;
			bio_endio(bio);
			return;
		}
	}
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

static ssize_t flush_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct sick *sick = dev_to_disk(dev)->private_data;
	int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].status == sick->answer)
			return sysfs_emit(text, "%s\n", answers[i].name);
	return -EINVAL;
}

static ssize_t flush_store(struct device *dev, struct device_attribute *attr, const char *text,
			   size_t count)
{
	struct sick *sick = dev_to_disk(dev)->private_data;
	int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (!sysfs_streq(text, answers[i].name))
			continue;
		sick->answer = answers[i].status;
		atomic64_set(&sick->flushes, 0);
		atomic64_set(&sick->refused, 0);
		return count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_RW(flush);

static ssize_t flushes_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct sick *sick = dev_to_disk(dev)->private_data;

	return sysfs_emit(text, "%lld %lld\n", atomic64_read(&sick->flushes),
			  atomic64_read(&sick->refused));
}
static DEVICE_ATTR_RO(flushes);

static struct attribute *sick_attrs[] = { &dev_attr_flush.attr, &dev_attr_flushes.attr, NULL };
ATTRIBUTE_GROUPS(sick);

static const struct block_device_operations operations = {
	.owner = THIS_MODULE,
	.submit_bio = sick_submit_bio,
};

static void sick_remove(struct sick *sick)
{
	if (sick->disk) {
		del_gendisk(sick->disk);
		put_disk(sick->disk);
	}
	vfree(sick->memory);
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
	sick->memory = vzalloc((size_t)megabytes << 20);
	if (!sick->memory) {
		put_disk(disk);
		return -ENOMEM;
	}
	set_capacity(disk, (sector_t)megabytes << (20 - SECTOR_SHIFT));
	blk_queue_write_cache(disk->queue, true, true);
	error = device_add_disk(NULL, disk, sick_groups);
	if (error) {
		put_disk(disk);
		return error;
	}
	sick->disk = disk;
	return 0;
}

static void __exit sick_exit(void)
{
	unsigned int i;

	for (i = 0; i < disks; i++)
		sick_remove(&all[i]);
	kfree(all);
}

static int __init sick_init(void)
{
	unsigned int i;
	int error;

	all = kcalloc(disks, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (i = 0; i < disks; i++) {
		error = sick_add(&all[i], i);
		if (!error)
			continue;
		for (; i < disks; i--)
			sick_remove(&all[i]);
		kfree(all);
		return error;
	}
	return 0;
}

module_init(sick_init);
module_exit(sick_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Disks in memory whose flushes fail on command");
