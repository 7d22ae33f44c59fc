using System;
using System.IO;
using System.Linq;
using System.Text;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Volumes;

public class VolumeConfigTests
{
    private const string Id = "00112233445566778899aabbccddeeff";

    [Fact]
    public void Json_comes_back_as_it_was_written()
    {
        var id = Enumerable.Range(1, 16).Select(n => (byte)n).ToArray();
        var parsed = VolumeConfig.Parse(new VolumeConfig(id, "/a \"b\"/ü.db").ToJson(), "config");
        Assert.Equal(id, parsed.VolumeId);
        Assert.Equal("/a \"b\"/ü.db", parsed.Store);
    }

    [Fact]
    public void Members_of_later_versions_are_passed_over() =>
        Assert.Equal("s", Parse($$$"""{"x":{"y":[1]},"format":1,"volumeId":"{{{Id}}}","store":"s","z":null}""").Store);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"format":0,"volumeId":"00112233445566778899aabbccddeeff","store":"s"}""")]
    [InlineData("""{"format":"1","volumeId":"00112233445566778899aabbccddeeff","store":"s"}""")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddee","store":"s"}""")]
    [InlineData("""{"format":1,"volumeId":"0011223344556677-899aabbccddeeff","store":"s"}""")]
    [InlineData("""{"format":1,"volumeId":"00000000000000000000000000000000","store":"s"}""")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddeeff","store":""}""")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddeeff","store":3}""")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddeeff","store":"s"} {}""")]
    [InlineData("""{"format":1,"volumeId":"00112233445566778899aabbccddeeff","store":"s" """)]
    public void Nonsense_is_refused(string json) =>
        Assert.Equal(VolumeError.ConfigDamaged, Assert.Throws<VolumeException>(() => Parse(json)).Error);

    [Fact]
    public void Newer_format_is_refused_as_newer() =>
        Assert.Equal(VolumeError.TooNew, Assert.Throws<VolumeException>(
            () => Parse($$"""{"format":2,"volumeId":"{{Id}}","store":"s"}""")).Error);

    [Fact]
    public void Load_tells_what_is_there()
    {
        using var directory = new TestDirectory();
        Assert.Equal(VolumeError.NotAVolume, Load(directory.Path));
        Assert.Equal(VolumeError.NotADirectory, Load(directory.At("none")));
        Directory.CreateDirectory(directory.At(".overlay"));
        File.WriteAllText(directory.At(".overlay/config.json.new"), "{");
        Assert.Equal(VolumeError.HalfMade, Load(directory.Path));
        File.WriteAllText(directory.At(".overlay/config.json"), "{");
        Assert.Equal(VolumeError.ConfigDamaged, Load(directory.Path));
    }

    private static VolumeError Load(string root) => Assert.Throws<VolumeException>(() => VolumeConfig.Load(root)).Error;

    private static VolumeConfig Parse(string json) => VolumeConfig.Parse(Encoding.UTF8.GetBytes(json), "config");
}
