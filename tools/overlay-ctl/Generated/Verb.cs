using System.Collections.Generic;
using System.CommandLine;
using System.Linq;

namespace Overlay.Ctl.Generated;

/// <summary>A command, or a command of a command, of those that are seen.</summary>
internal sealed record Verb(Command Command, Verb? Parent)
{
    /// <summary>As it is typed behind the program's name; "" for the program itself.</summary>
    internal string Path => Parent is null ? "" : Parent.Path.Length == 0 ? Command.Name : $"{Parent.Path} {Command.Name}";

    internal IEnumerable<Verb> Below => Command.Subcommands.Where(command => !command.Hidden).Select(command => new Verb(command, this));

    /// <summary>This one and all below, in the order of the help.</summary>
    internal IEnumerable<Verb> All => Below.SelectMany(verb => verb.All).Prepend(this);
}
