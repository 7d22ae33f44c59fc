using System;
using System.Runtime.InteropServices;
using Overlay.Crypto;

namespace Overlay.Ctl.Terminal;

/// <summary>Asks for a secret at the terminal: nothing of it is shown, and no copy of it is left in memory.</summary>
internal static unsafe class SecretPrompt
{
    /// <summary>What the kernel keeps of one line.</summary>
    private const int LongestLine = 4096;
    private const int Interrupted = 4, InputOutput = 5;

    /// <returns>The line without its end; the caller's to wipe.</returns>
    internal static byte[] Ask(string question)
    {
        byte[] line = GC.AllocateUninitializedArray<byte>(LongestLine, pinned: true);
        try
        {
            int length;
            // Echo is off before the question is seen, so that nobody answers before it is; who was stopped asks again.
            using (new TerminalMode(Screen.Input, TerminalCalls.Echo, TerminalCalls.EchoNewline | TerminalCalls.Canonical, isOurs => Console.Error.Write(isOurs ? question : "")))
                length = ReadLine(line);
            if (length == 0)
                throw new ControlException(ExitCodes.Key, "no answer was given; nothing was done.");
            bool isWhole = line[length - 1] == '\n';
            if (!isWhole)
                Console.Error.WriteLine();
            return line[..(isWhole ? length - 1 : length)];
        }
        finally
        {
            Secret.Wipe(line);
        }
    }

    private static int ReadLine(byte[] line)
    {
        fixed (byte* start = line)
        {
            for (; ; )
            {
                nint length = TerminalCalls.Read(Screen.Input, start, (nuint)line.Length);
                if (length >= 0)
                    return (int)length;
                int error = Marshal.GetLastPInvokeError();
                if (error != Interrupted)
                    throw new ControlException(ExitCodes.Failed, error == InputOutput ? "the terminal is gone." : $"the terminal cannot be read (errno {error}).");
            }
        }
    }
}
