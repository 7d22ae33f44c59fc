using System;
using System.Diagnostics;
using Overlay.Metadata.Policy;
using Xunit;

namespace Overlay.Metadata.Tests.Policy;

public class PathPatternTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "ab", false)]
    [InlineData("a", "A", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a/b", false)]
    [InlineData("**", "a/b/c", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a", false)]
    [InlineData("a/**", "ab/c", false)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a/**/b", "a/x/y/b", true)]
    [InlineData("a/**/b", "a/xb", false)]
    [InlineData("**/b", "b", true)]
    [InlineData("**/b", "a/b", true)]
    [InlineData("**/b", "ab", false)]
    [InlineData("**.jpg", "x/y.jpg", true)]
    [InlineData("a**/b", "ax/b", true)]
    [InlineData("a**/b", "a/b", true)]
    [InlineData("a**/b", "ab", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[a-c]x", "dx", false)]
    [InlineData("[!a-c]x", "dx", true)]
    [InlineData("[^a-c]x", "ax", false)]
    [InlineData("[!a]x", "/x", false)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "a", false)]
    [InlineData("ü*", "üb", true)]
    public void Pattern_matches_what_it_says(string pattern, string path, bool matches) =>
        Assert.Equal(matches, PathPattern.TryParse(pattern, out _)!.Matches(path));

    [Theory]
    [InlineData("")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("a[!b")]
    [InlineData("a\\")]
    public void Pattern_that_makes_no_sense_is_refused(string pattern)
    {
        Assert.Null(PathPattern.TryParse(pattern, out var error));
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Pattern_of_many_stars_takes_no_longer_than_its_length_times_the_paths()
    {
        var pattern = PathPattern.TryParse(string.Concat(System.Linq.Enumerable.Repeat("a**/*a", 100)), out _)!;
        var clock = Stopwatch.StartNew();
        Assert.False(pattern.Matches(new string('a', 4096)));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }
}
