using Overlay.Engine;
using Xunit;

namespace Overlay.Tests.Engine;

public sealed class MemoryShareTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("65536", 65536L)]
    [InlineData("8k", 8192L)]
    [InlineData("64M", 64L << 20)]
    [InlineData("2G", 2L << 30)]
    [InlineData("", null)]
    [InlineData("-1", null)]
    [InlineData("M", null)]
    [InlineData("64 M", null)]
    [InlineData("2000G", null)]
    public void Setting_is_a_number_of_bytes(string text, long? expected) => Assert.Equal(expected, MemoryShare.Parse(text));

    [Fact]
    public void Usual_share_is_something_and_not_more_than_256_MiB() => Assert.InRange(new MemoryShare(null).Greatest, 1 << 16, 256 << 20);

    [Fact]
    public void Setting_is_taken_whatever_memory_there_is()
    {
        MemoryShare share = new("512M");
        Assert.Equal(512L << 20, share.Greatest);
        Assert.True(share.MayGrowBy(long.MaxValue));
    }
}
