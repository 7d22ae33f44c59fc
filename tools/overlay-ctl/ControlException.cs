using System;

namespace Overlay.Ctl;

/// <summary>A failure that is told in one line, with the exit code it ends in.</summary>
internal sealed class ControlException(int exitCode, string message) : Exception(message)
{
    internal int ExitCode { get; } = exitCode;
}
