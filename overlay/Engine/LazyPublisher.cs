using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Overlay.Engine;

/// <summary>Tells the filter where mappings lie that are filled when they are touched, and what of them is.</summary>
internal sealed unsafe class LazyPublisher
{
    /// <summary><c>struct lazy_range</c> of shim/native/lazy.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Note
    {
        internal long Start, End;

        /// <summary>See <see cref="Pages.FilledMarks"/>; null: nothing is known to be filled.</summary>
        internal byte* Filled;

        /// <summary>Of <see cref="Start"/> in what the marks speak of.</summary>
        internal long Offset;
        internal long UnitLog2;
    }

    /// <summary>The filter's table has no more; beyond that it knows the outer bounds only.</summary>
    private const int Limit = 1024;

    private readonly List<Note> _notes = [];
    private bool _isEmpty = true;

    /// <summary>Set at start. Null in tests, where there is no filter.</summary>
    internal static delegate* unmanaged<Note*, int, void> Tell { get; set; }

    /// <summary>1: faults will be answered from now on; 0: they cannot be. Set at start.</summary>
    internal static delegate* unmanaged<int> Begin { get; set; }

    /// <param name="ranges">In order.</param>
    internal void Publish(List<MappingTable.Range> ranges)
    {
        _notes.Clear();
        foreach (MappingTable.Range range in ranges)
        {
            if (range.Lazy is null)
                continue;
            Note last = _notes.Count > 0 ? _notes[^1] : default;
            if (last.End == range.Start && last.Filled == range.Lazy.Filled && last.Offset + (last.End - last.Start) == range.LazyOffset)
            {
                CollectionsMarshal.AsSpan(_notes)[^1].End = range.End;
                continue;
            }
            _notes.Add(new Note
            {
                Start = range.Start, End = range.End, Filled = range.Lazy.Filled, Offset = range.LazyOffset, UnitLog2 = range.Lazy.UnitLog2,
            });
        }
        if (_isEmpty && _notes.Count == 0)
            return;
        _isEmpty = _notes.Count == 0;
        if (_notes.Count > Limit)
            _notes[0] = new Note { Start = _notes[0].Start, End = _notes[^1].End, UnitLog2 = Pages.LazyPages.SmallestUnitLog2 };
        fixed (Note* notes = CollectionsMarshal.AsSpan(_notes))
            Tell(notes, _notes.Count > Limit ? 1 : _notes.Count);
    }
}
