using System.Runtime.InteropServices;

namespace Overlay.Ctl.Terminal;

/// <summary>termios(3), and how wide a terminal is.</summary>
internal static unsafe partial class TerminalCalls
{
    internal const int Now = 0, AndForget = 2; // TCSANOW: what was typed stays to be read; TCSAFLUSH: it is thrown away
    internal const uint Echo = 8, EchoNewline = 0x40, Canonical = 2;
    internal const nuint WindowSize = 0x5413; // TIOCGWINSZ
    internal const short Readable = 1;

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    internal static partial int GetAttributes(int descriptor, Attributes* attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    internal static partial int SetAttributes(int descriptor, int when, Attributes* attributes);

    [LibraryImport("libc", EntryPoint = "isatty")]
    internal static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Request(int descriptor, nuint request, ushort* answer);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* data, nuint length);

    /// <summary>struct pollfd</summary>
    internal struct PollEntry
    {
        internal int Descriptor;
        internal short Wanted;
        internal short Ready;
    }

    /// <summary>struct termios (60 bytes)</summary>
    [StructLayout(LayoutKind.Explicit, Size = 60)]
    internal struct Attributes
    {
        [FieldOffset(12)] internal uint LocalModes;
    }
}
