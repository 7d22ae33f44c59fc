using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Volumes;

public class VolumeCreatorTests
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerDirectory = OwnerFile | UnixFileMode.UserExecute;

    [Fact]
    public void Create_lays_a_volume_out_as_the_format_says()
    {
        using var volume = new TestVolume(new VolumeOptions { Suite = CipherSuite.Aegis256, Compress = false, BlockSizeLog2 = 20 });
        var overlay = Path.Combine(volume.Root, ".overlay");
        Assert.Equal(OwnerDirectory, File.GetUnixFileMode(overlay));
        foreach (var name in new[] { "config.json", "store.db", "locks", "coherence" })
            Assert.Equal(OwnerFile, File.GetUnixFileMode(Path.Combine(overlay, name)));
        Assert.Equal(4, Directory.GetFileSystemEntries(overlay).Length);
        Assert.Equal(0, new FileInfo(Path.Combine(overlay, "locks")).Length);
        Assert.Equal(2_179_072, new FileInfo(Path.Combine(overlay, "coherence")).Length);
        Assert.Matches("^\\{\"format\":1,\"volumeId\":\"[0-9a-f]{32}\",\"store\":\"store.db\",\"blockSize\":1048576\\}\n$",
            File.ReadAllText(Path.Combine(overlay, "config.json")));

        using var unlocked = volume.Unlock();
        Assert.Equal(CipherSuite.Aegis256, unlocked.Suite);
        Assert.False(unlocked.Compress);
        Assert.Equal(20, unlocked.BlockSizeLog2);
        Assert.Equal(volume.Config.VolumeId, unlocked.VolumeId.ToArray());
    }

    [Fact]
    public void Create_refuses_a_volume()
    {
        using var volume = new TestVolume();
        var before = File.ReadAllBytes(volume.StorePath);
        Assert.Equal(VolumeError.AlreadyAVolume, Refusal(volume.Root, volume.KeyFile));
        Assert.Equal(before, File.ReadAllBytes(volume.StorePath));
    }

    [Fact]
    public void Create_refuses_what_is_not_a_directory()
    {
        using var directory = new TestDirectory();
        Assert.Equal(VolumeError.NotADirectory, Refusal(directory.KeyFile(), directory.At("key")));
    }

    [Fact]
    public void Create_refuses_a_directory_with_files_unless_told_otherwise()
    {
        using var directory = new TestDirectory();
        var key = directory.KeyFile();
        Directory.CreateDirectory(directory.At("vault"));
        File.WriteAllText(directory.At("vault/plain"), "plain");
        Assert.Equal(VolumeError.NotEmpty, Refusal(directory.At("vault"), key));
        Assert.False(Directory.Exists(directory.At("vault/.overlay")));

        using var secret = KeySecret.FromKeyFile(key);
        _ = VolumeCreator.Create(directory.At("vault"), secret, new VolumeOptions { AllowNonEmpty = true });
        Assert.Equal("plain", File.ReadAllText(directory.At("vault/plain")));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(21)]
    public void Create_refuses_a_block_size_out_of_range(int log2)
    {
        using var directory = new TestDirectory();
        Assert.Equal(VolumeError.BadOption,
            Refusal(directory.At("vault"), directory.KeyFile(), new VolumeOptions { BlockSizeLog2 = log2 }));
    }

    [Fact]
    public void Create_never_removes_a_store_whose_configuration_is_lost()
    {
        using var volume = new TestVolume();
        File.Delete(Path.Combine(volume.Root, ".overlay", "config.json"));
        Assert.Equal(VolumeError.ConfigDamaged, Refusal(volume.Root, volume.KeyFile));
        Assert.True(File.Exists(volume.StorePath));
    }

    [Fact]
    public void Create_refuses_an_overlay_directory_with_something_else_in_it()
    {
        using var directory = new TestDirectory();
        Directory.CreateDirectory(directory.At("vault/.overlay"));
        File.WriteAllText(directory.At("vault/.overlay/notes"), "mine");
        Assert.Equal(VolumeError.NotEmpty, Refusal(directory.At("vault"), directory.KeyFile()));
        Assert.True(File.Exists(directory.At("vault/.overlay/notes")));
    }

    [Fact]
    public void Create_puts_the_store_elsewhere_when_told()
    {
        using var directory = new TestDirectory();
        using var secret = KeySecret.FromKeyFile(directory.KeyFile());
        var path = directory.At("stores/one.db");
        _ = VolumeCreator.Create(directory.At("vault"), secret, new VolumeOptions { StorePath = path });
        Assert.Equal(OwnerFile, File.GetUnixFileMode(path));
        Assert.Equal(OwnerDirectory, File.GetUnixFileMode(directory.At("stores")));
        Assert.False(File.Exists(directory.At("vault/.overlay/store.db")));
        using var unlocked = VolumeUnlocker.Unlock(directory.At("vault"), secret);
        Assert.Equal(path, unlocked.Store.Path);

        Assert.Equal(VolumeError.StoreExists,
            Refusal(directory.At("other"), directory.At("key"), new VolumeOptions { StorePath = path }));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Create_refuses_a_store_among_the_files_of_the_volume()
    {
        using var directory = new TestDirectory();
        var options = new VolumeOptions { StorePath = directory.At("vault/store.db") };
        Assert.Equal(VolumeError.BadOption, Refusal(directory.At("vault"), directory.KeyFile(), options));
    }

    [Fact]
    public void Create_completes_an_attempt_that_ended_before_its_last_step()
    {
        using var directory = new TestDirectory();
        using var secret = KeySecret.FromKeyFile(directory.KeyFile());
        var (root, store) = (directory.At("vault"), directory.At("external.db"));
        _ = VolumeCreator.Create(root, secret, new VolumeOptions { StorePath = store });
        File.Move(Path.Combine(root, ".overlay/config.json"), Path.Combine(root, ".overlay/config.json.new"));
        Assert.Equal(VolumeError.HalfMade, Assert.Throws<VolumeException>(() => VolumeConfig.Load(root)).Error);

        _ = VolumeCreator.Create(root, secret, new VolumeOptions());
        Assert.False(File.Exists(store));
        VolumeUnlocker.Unlock(root, secret).Dispose();
    }

    [Fact]
    public void Create_leaves_the_store_of_another_volume_when_an_attempt_named_it()
    {
        using var volume = new TestVolume();
        using var directory = new TestDirectory();
        Directory.CreateDirectory(directory.At("vault/.overlay"));
        File.WriteAllText(directory.At("vault/.overlay/config.json.new"),
            $$"""{"format":1,"volumeId":"00112233445566778899aabbccddeeff","store":"{{volume.StorePath}}"}""");
        Assert.Equal(VolumeError.StoreExists, Refusal(directory.At("vault"), directory.KeyFile()));
        volume.Unlock().Dispose();
    }

    [Fact]
    public void Store_ignores_a_log_that_an_earlier_store_of_its_name_left()
    {
        using var directory = new TestDirectory();
        using var secret = KeySecret.FromKeyFile(directory.KeyFile());
        var path = directory.At("store.db");
        File.WriteAllBytes(path + "-wal", new byte[4096]);
        _ = VolumeCreator.Create(directory.At("vault"), secret, new VolumeOptions { StorePath = path });
        Assert.False(File.Exists(path + "-wal"));
    }

    private static VolumeError Refusal(string root, string keyFile, VolumeOptions? options = null)
    {
        using var secret = KeySecret.FromKeyFile(keyFile);
        return Assert.Throws<VolumeException>(() => VolumeCreator.Create(root, secret, options ?? new VolumeOptions())).Error;
    }
}
