using System;
using System.Collections.Generic;

namespace Overlay.Metadata.Policy;

/// <summary>Who asks.</summary>
public sealed class PolicySubject
{
    private readonly Func<string?> _digest;
    private string? _found;
    private bool _isAsked;

    /// <param name="digest">The SHA-256 of the program, in hex; null if it cannot be had. Asked at most once, and only if a rule needs it.</param>
    public PolicySubject(uint userId, IReadOnlyList<uint> groupIds, string executable, Func<string?> digest)
    {
        UserId = userId;
        GroupIds = groupIds;
        Executable = executable;
        _digest = digest;
    }

    public uint UserId { get; }

    public IReadOnlyList<uint> GroupIds { get; }

    /// <summary>As the kernel names it; may be a path that leads elsewhere (<see cref="IsExecutableConfirmed"/>), or none (a memory file).</summary>
    public string Executable { get; }

    /// <summary>Whoever follows that path comes to the very file that runs.</summary>
    public bool IsExecutableConfirmed { get; init; } = true;

    /// <summary>The kernel does not say what runs there.</summary>
    public bool IsUnreadable => Executable.Length == 0;

    internal string? Digest
    {
        get
        {
            if (!_isAsked)
                _found = _digest();
            _isAsked = true;
            return _found;
        }
    }
}
