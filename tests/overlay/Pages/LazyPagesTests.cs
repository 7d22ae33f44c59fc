using System;
using Overlay.Interop;
using Overlay.Pages;
using Xunit;

namespace Overlay.Tests.Pages;

/// <summary>What of a mapping is filled, and how much at a time.</summary>
public sealed class LazyPagesTests
{
    private const long Unit = 1L << LazyPages.SmallestUnitLog2;

    private static LazyPages Create(long length, Func<int>? countForks = null)
    {
        var pages = LazyPages.TryCreate(origin: 0, length, countForks ?? (() => 0))!;
        pages.AddUser();
        return pages;
    }

    [Fact]
    public void Run_grows_where_the_units_before_it_are_filled_and_stops_at_a_filled_one()
    {
        var pages = Create(100 * Unit);

        Assert.Equal(1, pages.RunAt(7));
        pages.Mark(4 * Unit, 8 * Unit);
        Assert.Equal(4, pages.RunAt(8));
        pages.Mark(10 * Unit, 11 * Unit);
        Assert.Equal(2, pages.RunAt(8));
        pages.Mark(11 * Unit, 60 * Unit);
        Assert.Equal(LazyPages.LongestRun, pages.RunAt(60));
        pages.Mark(60 * Unit, 99 * Unit);
        Assert.Equal(1, pages.RunAt(99));
        pages.Release();
    }

    [Fact]
    public void Unit_is_filled_only_when_all_of_it_is_and_its_pages_are_remembered_until_then()
    {
        var pages = Create(3 * Unit + LazyPages.PageSize);

        pages.Mark(Unit, Unit + 3 * LazyPages.PageSize);
        Assert.False(pages.IsFilled(1));
        Assert.True(pages.HasLoose(1));
        Assert.Equal(new[] { Unit + LazyPages.PageSize }, pages.LooseBetween(Unit + LazyPages.PageSize, Unit + 2 * LazyPages.PageSize));

        pages.Mark(Unit, 2 * Unit);
        Assert.True(pages.IsFilled(1));
        Assert.False(pages.HasLoose(1));

        pages.Mark(3 * Unit, 3 * Unit + LazyPages.PageSize); // all that there is of the last
        Assert.True(pages.IsFilled(3));
        Assert.Equal(4, pages.Units);
        pages.Release();
    }

    [Fact]
    public void Units_of_a_very_long_mapping_are_larger()
    {
        var pages = Create(1L << 40);

        Assert.True(pages.Units <= 1L << LazyPages.UnitLimitLog2);
        Assert.Equal(1L << 40, pages.EndOf(pages.Units - 1));
        pages.Release();
    }

    [Theory]
    [InlineData(0, 37, 38)]
    [InlineData(LazyIslands.Many, 32, 48)]
    [InlineData(LazyIslands.VeryMany, 0, 100)] // the mapping ends there
    public void More_is_filled_at_a_time_where_there_are_many_mappings(int count, long first, long last) =>
        Assert.Equal((first, last), LazyIslands.Widen(37, 38, units: 100, count));

    [Fact]
    public void Pieces_are_counted_that_have_no_neighbour()
    {
        var pages = Create(100 * Unit);
        pages.Mark(10 * Unit, 12 * Unit);
        pages.Mark(13 * Unit, 14 * Unit);

        Assert.Equal(1, LazyIslands.Added(pages, 50, 52));
        Assert.Equal(0, LazyIslands.Added(pages, 9, 10));
        Assert.Equal(-1, LazyIslands.Added(pages, 12, 13));
        pages.Release();
    }

    [Fact]
    public void Memory_is_given_back_where_no_child_may_map_it_still()
    {
        var forks = 0;
        var pages = Create(4 * Unit, () => forks);
        pages.Store(0, new byte[4 * Unit]);
        var full = Blocks(pages);

        pages.Discard(0, Unit);
        var less = Blocks(pages);
        forks = 1;
        pages.Discard(Unit, 2 * Unit);

        Assert.True(less < full);
        Assert.Equal(less, Blocks(pages));
        pages.Release();
    }

    private static long Blocks(LazyPages pages) => KernelFile.Status(pages.Descriptor).Sectors;
}
