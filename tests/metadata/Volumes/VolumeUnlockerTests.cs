using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Volumes;

public class VolumeUnlockerTests
{
    private static readonly PassphraseCost s_cheap = new(1024, 1);

    [Fact]
    public void Unlock_refuses_another_key_file()
    {
        using var volume = new TestVolume();
        using var other = new TestDirectory();
        Assert.Equal(VolumeError.WrongKey, Refusal(volume, KeySecret.FromKeyFile(other.KeyFile(fill: 8))));
        Assert.Equal(VolumeError.WrongKey, Refusal(volume, KeySecret.FromKeyFile(other.KeyFile(size: 33))));
    }

    [Fact]
    public void Unlock_refuses_a_passphrase_when_there_is_no_slot_for_one()
    {
        using var volume = new TestVolume();
        Assert.Equal(VolumeError.NoSuchSlot, Refusal(volume, KeySecret.FromPassphrase("secret"u8)));
    }

    [Fact]
    public void Unlock_takes_any_of_several_slots()
    {
        using var volume = new TestVolume();
        var fileId = new byte[16];
        byte[] expected = new byte[32], key = new byte[32];
        using (var unlocked = volume.Unlock())
        using (var pool = new KeyPool(unlocked))
        {
            using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
            unlocked.AddSlot(passphrase, "spare", s_cheap);
            pool.Refill();
            pool.Take(fileId, expected);
        }
        using var again = KeySecret.FromPassphrase("correct horse"u8);
        using var reopened = VolumeUnlocker.Unlock(volume.Root, again);
        Assert.True(reopened.TryGetFileKey(fileId, key));
        Assert.Equal(expected, key);
        Assert.Equal(VolumeError.WrongKey, Refusal(volume, KeySecret.FromPassphrase("wrong horse"u8)));
        var slot = reopened.Store.ReadKeySlots()[1];
        Assert.Equal((SlotKind.Passphrase, s_cheap, "spare"), (slot.Kind, slot.Cost, slot.Label));
    }

    [Fact]
    public void Removed_slot_opens_no_more_and_nothing_of_it_is_left_in_the_store()
    {
        using var volume = new TestVolume();
        byte[] wrapped;
        using (var unlocked = volume.Unlock())
        {
            using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
            var added = unlocked.AddSlot(passphrase, "spare", s_cheap);
            wrapped = added.WrappedKey.ToArray();
            Assert.True(Contains(unlocked.Store.Path, wrapped));
            unlocked.RemoveSlot(added.Id);
            Assert.True(unlocked.TryForgetRemoved());
            Assert.False(Contains(unlocked.Store.Path, wrapped));
        }
        Assert.Equal(VolumeError.NoSuchSlot, Refusal(volume, KeySecret.FromPassphrase("correct horse"u8)));
        using var still = volume.Unlock();
    }

    [Fact]
    public void Last_slot_is_not_removed()
    {
        using var volume = new TestVolume();
        using (var unlocked = volume.Unlock())
        {
            Assert.Equal(VolumeError.LastSlot, Assert.Throws<VolumeException>(() => unlocked.RemoveSlot(unlocked.OpenedSlot)).Error);
            Assert.Equal(VolumeError.NoSuchSlot, Assert.Throws<VolumeException>(() => unlocked.RemoveSlot(77)).Error);
        }
        using var still = volume.Unlock();
    }

    [Fact]
    public void Replaced_slot_gives_way_to_the_new_one()
    {
        using var volume = new TestVolume();
        using (var unlocked = volume.Unlock())
        {
            using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
            Assert.Equal(VolumeError.NoSuchSlot, Assert.Throws<VolumeException>(() => unlocked.ReplaceSlot(77, passphrase, "", s_cheap)).Error);
            Assert.Single(unlocked.Store.ReadKeySlots());
            unlocked.ReplaceSlot(unlocked.OpenedSlot, passphrase, "new", s_cheap);
        }
        Assert.Equal(VolumeError.NoSuchSlot, Refusal(volume, KeySecret.FromKeyFile(volume.KeyFile)));
        using var again = KeySecret.FromPassphrase("correct horse"u8);
        using var reopened = VolumeUnlocker.Unlock(volume.Root, again);
        Assert.Equal("new", Assert.Single(VolumeUnlocker.ReadSlots(volume.Root)).Label);
    }

    private static bool Contains(string store, byte[] bytes) =>
        new List<string> { store, store + "-wal" }.Exists(file => File.Exists(file) && File.ReadAllBytes(file).AsSpan().IndexOf(bytes) >= 0);

    [Fact]
    public void Calibrated_passphrase_costs_what_it_should()
    {
        var cost = PassphraseCost.Calibrate();
        Assert.Equal(64 * 1024, cost.MemoryKiB);
        Assert.InRange(cost.Iterations, 3, 64);
    }

    [Theory]
    [InlineData("UPDATE key_slot SET wrapped_key = zeroblob(length(wrapped_key))")]
    [InlineData("UPDATE key_slot SET wrapped_key = x'00'")]
    [InlineData("UPDATE key_slot SET iterations = 5, memory_kib = 2147483647")]
    [InlineData("UPDATE volume_key_version SET check_value = zeroblob(16)")]
    [InlineData("UPDATE volume SET suite = 9")]
    [InlineData("UPDATE volume SET id = x'00112233445566778899aabbccddeeff'")]
    [InlineData("DELETE FROM volume")]
    public void Unlock_tells_a_damaged_store_from_a_wrong_key(string damage)
    {
        using var volume = new TestVolume();
        volume.Sql(damage);
        Assert.Equal(VolumeError.StoreDamaged, Refusal(volume, KeySecret.FromKeyFile(volume.KeyFile)));
    }

    [Fact]
    public void File_key_does_not_unwrap_in_the_row_of_another_file()
    {
        using var volume = new TestVolume();
        byte[] first = new byte[16], second = new byte[16], key = new byte[32];
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        pool.Take(first, key);
        pool.Take(second, key);
        volume.Sql($"UPDATE file SET wrapped_key = (SELECT wrapped_key FROM file WHERE file_id = x'{Convert.ToHexString(second)}')"
            + $" WHERE file_id = x'{Convert.ToHexString(first)}'");
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => unlocked.TryGetFileKey(first, key)).Error);
        Assert.True(unlocked.TryGetFileKey(second, key));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    public void Key_file_is_refused_when_too_short(int size)
    {
        using var directory = new TestDirectory();
        Assert.Equal(VolumeError.UnusableKey,
            Assert.Throws<VolumeException>(() => KeySecret.FromKeyFile(directory.KeyFile(size: size))).Error);
    }

    [Fact]
    public void Key_file_counts_to_its_last_byte()
    {
        using var directory = new TestDirectory();
        using var secret = KeySecret.FromKeyFile(directory.KeyFile(size: 10_000));
        _ = VolumeCreator.Create(directory.At("vault"), secret, new VolumeOptions());
        VolumeUnlocker.Unlock(directory.At("vault"), secret).Dispose();
        var bytes = File.ReadAllBytes(directory.At("key"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(directory.At("key"), bytes);
        using var changed = KeySecret.FromKeyFile(directory.At("key"));
        Assert.Equal(VolumeError.WrongKey,
            Assert.Throws<VolumeException>(() => VolumeUnlocker.Unlock(directory.At("vault"), changed)).Error);
    }

    [Fact]
    public void Key_file_is_refused_when_it_does_not_end()
    {
        var refusal = Assert.Throws<VolumeException>(() => KeySecret.FromKeyFile("/dev/zero"));
        Assert.Equal(VolumeError.UnusableKey, refusal.Error);
    }

    [Fact]
    public void Store_holds_no_key_in_the_clear()
    {
        using var volume = new TestVolume();
        byte[] fileId = new byte[16], key = new byte[32];
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        pool.Take(fileId, key);
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(volume.StorePath)!))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var content = new byte[file.Length];
            file.ReadExactly(content);
            Assert.Equal(-1, content.AsSpan().IndexOf(key));
            Assert.Equal(-1, content.AsSpan().IndexOf(File.ReadAllBytes(volume.KeyFile)));
        }
    }

    /// <summary>Found by fuzzing: a damaged page of the database can hold what the schema forbids.</summary>
    [Fact]
    public void Unlock_calls_a_store_damaged_whose_columns_hold_nothing()
    {
        using var volume = new TestVolume();
        volume.Sql("CREATE TABLE old AS SELECT * FROM key_slot; DROP TABLE key_slot; ALTER TABLE old RENAME TO key_slot; UPDATE key_slot SET kind = NULL");
        using var directory = new TestDirectory();
        Assert.Equal(VolumeError.StoreDamaged, Refusal(volume, KeySecret.FromKeyFile(directory.KeyFile())));
    }

    private static VolumeError Refusal(TestVolume volume, KeySecret secret)
    {
        using (secret)
            return Assert.Throws<VolumeException>(() => VolumeUnlocker.Unlock(volume.Root, secret)).Error;
    }
}
