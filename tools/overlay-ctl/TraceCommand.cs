using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Overlay.Ctl;

/// <summary>overlay-ctl trace: each file call of a program, and a summary (docs/trace.md).</summary>
internal static class TraceCommand
{
    internal static Command Make()
    {
        RunCommand.Options options = new();
        Option<bool> json = new("--json") { Description = "One JSON object a line." };
        Option<string?> output = new("--output") { Description = "Write the trace to FILE instead of standard error.", HelpName = "FILE" };
        Command command = new("trace", "Run a program as 'run' does, and show its file calls.") { json, output };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            using TextWriter writer = parsed.GetValue(output) is string path ? new StreamWriter(path) : new StreamWriter(Console.OpenStandardError());
            using TraceListener listener = new(writer, parsed.GetValue(json));
            int exitCode = RunCommand.Run(parsed, options, new Dictionary<string, string> { ["OVERLAY_TRACE"] = listener.Address });
            listener.Finish();
            return exitCode;
        });
        return command;
    }
}

/// <summary>Takes the shim's datagrams on a socket in a directory of our own.</summary>
internal sealed class TraceListener : IDisposable
{
    private const int Fields = 8;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("overlay-trace-");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly SortedDictionary<string, Total> _totals = new(StringComparer.Ordinal);
    private readonly TextWriter _writer;
    private readonly bool _isJson;
    private readonly Thread _thread;

    internal TraceListener(TextWriter writer, bool isJson)
    {
        _writer = writer;
        _isJson = isJson;
        Address = Path.Combine(_directory.FullName, "trace.sock");
        _socket.Bind(new UnixDomainSocketEndPoint(Address));
        _thread = new Thread(Receive) { IsBackground = true, Name = "trace" };
        _thread.Start();
    }

    internal string Address { get; }

    /// <summary>Reads what is still there, and prints the summary.</summary>
    internal void Finish()
    {
        using (Socket last = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified))
            last.SendTo("end"u8.ToArray(), new UnixDomainSocketEndPoint(Address));
        _thread.Join();
        if (_isJson)
            return;
        _writer.WriteLine($"\n{"call",-18}{"calls",10}{"errors",10}{"seconds",12}{"bytes",16}{"sealed",10}");
        foreach ((string name, Total total) in _totals)
            _writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-18}{total.Calls,10}{total.Errors,10}{total.Nanoseconds / 1e9,12:F6}{total.Bytes,16}{total.Sealed,10}"));
        long read = Sum("read"), written = Sum("write");
        _writer.WriteLine($"\nsealed bytes read {read}, written {written}");
    }

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Delete(recursive: true);
    }

    private long Sum(string kind) => _totals.Where(total => total.Key.Contains(kind, StringComparison.Ordinal)).Sum(total => total.Value.SealedBytes);

    private void Receive()
    {
        byte[] buffer = new byte[2048];
        for (; ; )
        {
            if (!TryReceive(buffer, out int length))
                return;
            string line = Encoding.UTF8.GetString(buffer, 0, length);
            string[] fields = line.Split('\t');
            if (fields.Length < Fields)
                return;
            Account(fields);
            _writer.WriteLine(_isJson ? ToJson(fields) : ToText(fields));
        }
    }

    /// <returns>False: the program was not started, and nobody listens any more.</returns>
    private bool TryReceive(byte[] buffer, out int length)
    {
        try
        {
            length = _socket.Receive(buffer);
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            length = 0;
            return false;
        }
    }

    private void Account(string[] fields)
    {
        if (!_totals.TryGetValue(fields[2], out Total? total))
            _totals[fields[2]] = total = new Total();
        long result = Number(fields[5]);
        total.Calls++;
        total.Errors += result < 0 ? 1 : 0;
        total.Nanoseconds += Number(fields[6]);
        bool movesBytes = fields[2].Contains("read", StringComparison.Ordinal) || fields[2].Contains("write", StringComparison.Ordinal);
        if (movesBytes && result > 0)
            total.Bytes += result;
        if (fields[7] != "1")
            return;
        total.Sealed++;
        if (movesBytes && result > 0)
            total.SealedBytes += result;
    }

    private static string ToText(string[] fields)
    {
        string size = fields[4] == "0" ? "" : $", {fields[4]}";
        return $"{fields[0]}/{fields[1]} {fields[2]}({fields[3]}{size}) = {fields[5]} <{Number(fields[6]) / 1000.0:F1} us>{(fields[7] == "1" ? " sealed" : "")}";
    }

    private static string ToJson(string[] fields)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter writer = new(line))
        {
            writer.WriteStartObject();
            writer.WriteNumber("pid", Number(fields[0]));
            writer.WriteNumber("tid", Number(fields[1]));
            writer.WriteString("call", fields[2]);
            writer.WriteString("subject", fields[3]);
            writer.WriteNumber("size", Number(fields[4]));
            writer.WriteNumber("result", Number(fields[5]));
            writer.WriteNumber("nanoseconds", Number(fields[6]));
            writer.WriteBoolean("sealed", fields[7] == "1");
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(line.ToArray());
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private sealed class Total
    {
        internal long Calls { get; set; }

        internal long Errors { get; set; }

        internal long Nanoseconds { get; set; }

        internal long Bytes { get; set; }

        internal long Sealed { get; set; }

        internal long SealedBytes { get; set; }
    }
}
