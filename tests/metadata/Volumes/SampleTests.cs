using System;
using System.IO;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Volumes;

/// <summary>
/// A volume's store as version 1 wrote it must open for ever. Samples/v1: overlay/ is its .overlay, key its key file,
/// "correct horse" its passphrase; file.txt has the id and the key of a file, in hexadecimal.
/// </summary>
public class SampleTests
{
    [Theory]
    [InlineData(SlotKind.KeyFile)]
    [InlineData(SlotKind.Passphrase)]
    public void Sample_of_version_1_opens(SlotKind kind)
    {
        using var directory = new TestDirectory();
        var sample = Path.Combine(AppContext.BaseDirectory, "Samples", "v1");
        // Opening writes, so on a copy.
        Directory.CreateDirectory(directory.At(".overlay"));
        foreach (var path in Directory.GetFiles(Path.Combine(sample, "overlay")))
            File.Copy(path, directory.At(Path.Combine(".overlay", Path.GetFileName(path))));
        using var secret = kind == SlotKind.KeyFile
            ? KeySecret.FromKeyFile(Path.Combine(sample, "key"))
            : KeySecret.FromPassphrase("correct horse"u8);
        using var volume = VolumeUnlocker.Unlock(directory.Path, secret);
        Assert.Equal((CipherSuite.Aegis256, true, 15), (volume.Suite, volume.Compress, volume.BlockSizeLog2));

        var expected = File.ReadAllText(Path.Combine(sample, "file.txt"), Encoding.ASCII).Split();
        var fileId = Convert.FromHexString(expected[0]);
        var key = new byte[32];
        Assert.True(volume.TryGetFileKey(fileId, key));
        Assert.Equal(expected[1], Convert.ToHexStringLower(key));
        var row = volume.Store.TryFindFile(fileId)!;
        Assert.Equal((FileState.Live, "a/sample", CipherSuite.Aegis256), (row.State, row.Path, row.Suite));
    }
}
