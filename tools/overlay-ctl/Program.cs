using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Ctl.Audit;
using Overlay.Ctl.Data;
using Overlay.Ctl.Doctor;
using Overlay.Ctl.Generated;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Policies;
using Overlay.Ctl.Rekey;
using Overlay.Ctl.Repair;
using Overlay.Ctl.Report;
using Overlay.Ctl.Status;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

internal static class Program
{
    /// <summary>A file may be named @x: arguments are not read from it.</summary>
    private static readonly ParserConfiguration s_configuration = new() { ResponseFileTokenReplacer = null };

    private static int Main(string[] arguments)
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, Layout.Resolve);
        NativeLibrary.SetDllImportResolver(typeof(NSec.Cryptography.Key).Assembly, Layout.Resolve);
        NativeLibrary.SetDllImportResolver(typeof(Crypto.DataKey).Assembly, Layout.Resolve);

        RootCommand root = new("Encrypted, compressed directories for unmodified programs.")
        {
            InitCommand.Make(), RunCommand.Make(), TraceCommand.Make(), AgentCommand.Make(), StatusCommand.Make(), TopCommand.Make(), InspectCommand.Make(), KeyCommand.Make(), VerifyCommand.Make(), RepairCommand.Make(),
            DoctorCommand.Make(),
            RecoveryCommand.Make(), ShredCommand.Make(), RekeyCommand.Make(), InventoryCommand.Make(), StoreCommand.Make(),
            AuditCommand.Make(), PolicyCommand.Make(), ReportCommand.Make(),
            ImportCommand.Make(), ExportCommand.Make(), ScanCommand.Make(),
            CompletionCommand.Make(), ManCommand.Make(),
        };
        ParseResult parsed = root.Parse(arguments, s_configuration);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
                Console.Error.WriteLine($"{Screen.Colour("overlay-ctl:", 1, Screen.Error)} {error.Message}");
            Console.Error.WriteLine($"  -> See '{PathOf(parsed.CommandResult)} --help'.");
            return ExitCodes.Usage;
        }
        using AdminTrail trail = new(parsed);
        int exitCode = Invoke(parsed);
        trail.End(exitCode);
        return exitCode;
    }

    /// <summary>As it is typed.</summary>
    private static string PathOf(CommandResult result) => result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "overlay-ctl";

    private static int Invoke(ParseResult parsed)
    {
        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ControlException exception)
        {
            return Complain(exception.ExitCode, exception.Message);
        }
        catch (VolumeException exception)
        {
            return Complain(ExitCodes.Of(exception.Error), exception.Message, Advice.For(exception));
        }
        catch (Exception exception) when (exception is ErrnoException or IOException or UnauthorizedAccessException)
        {
            return Complain(ExitCodes.Failed, exception.Message, Advice.For(exception));
        }
        catch (ArgumentException exception)
        {
            // A path that can be none.
            return Complain(ExitCodes.Usage, exception.Message);
        }
        catch (Exception exception)
        {
            return Complain(ExitCodes.Failed, $"a fault of overlay-ctl itself: {exception.GetType().Name}: {exception.Message}", "Please report it, with the command and this line.");
        }
    }

    private static int Complain(int exitCode, string message, string? advice = null)
    {
        Console.Error.WriteLine($"{Screen.Colour("overlay-ctl:", 1, Screen.Error)} {message}");
        if (advice is not null)
            Console.Error.WriteLine($"  -> {advice}");
        return exitCode;
    }
}
