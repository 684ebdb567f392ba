# frozen_string_literal: true

module Hearth
  # The method that the handler setting names: `file.method`, `file.Class.method` or `file.Module::Class.method`.
  class Handler
    FORM = 'Invalid handler %s, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds ' \
           'with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a ' \
           'callable method. If using CLASS, METHOD must be a class-level method.'

    # Loads the file. Raises ArgumentError for a name of another form, or what the file itself raises.
    def initialize(name)
      parts = name.split('.')
      raise ArgumentError, format(FORM, name) unless [2, 3].include?(parts.size) && parts.none?(&:empty?)

      file, *@namespace, @method = parts
      require file
    end

    def call(event, context)
      receiver = @namespace.empty? ? TOPLEVEL_BINDING.receiver : Kernel.const_get(@namespace.first)
      receiver.send(@method, event: event, context: context)
    end
  end
end
